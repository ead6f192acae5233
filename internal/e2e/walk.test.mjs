// The main job, end to end: one release from its first item to the final sign-off, by the people it needs.
import { test, before, after } from 'node:test';
import { at, assert, base, Crew, launch, person, press, release, shot, story } from './lib.mjs';

const step = story(test);

let browser;
let crew;
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
});
after(async () => { await browser?.close(); });

step('the release starts', async () => {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/releases`);
  await shot(page, 'releases-empty');
  await crew.start('devops_engineer');
});

step('it is the only one of its environment', async () => {
  const page = await crew.as('devops_lead');
  await page.goto(`${base}/releases/new`);
  const button = page.locator('main [data-action="start"]');
  if (await button.count()) await button.click();
  assert.match(await page.locator('main').innerText(), /under way/);
});

step('nothing can be applied before the gate', async () => {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/migrations/V0.0.20`);
  await at(page, 'migration_show');
  assert.equal(await page.locator('main button[data-action="apply"]:not([disabled])').count(), 0);
});

step('a backup is taken, restored, and rehearsed on', async () => {
  const page = await crew.order('devops_engineer', 'main [data-action="take-backup"]');
  await shot(page, 'operation-backup');
  await crew.order('devops_engineer', 'main form[action$="/rehearse"] button');
  await shot(page, 'operation-rehearsal');
  await page.goto(`${base}/migrations/backups`);
  assert.equal(await page.locator('[data-row][data-backup] [data-state="proven"]').count(), 1);
  await shot(page, 'backups');
});

step('what was refused stays in its fields, with its complaint, while the page is live', async () => {
  const page = await crew.as('devops_engineer');
  const { href } = (await crew.rows('devops_engineer')).find((r) => r.item === 'PRE-P3');
  await page.goto(base + href);
  const form = page.locator('main form[action$="/fail"]');
  await form.evaluate((one) => { one.noValidate = true; one.closest('details')?.setAttribute('open', ''); });
  await form.locator('[name="reason"]').fill('no');
  const asked = page.waitForResponse((answer) => answer.request().resourceType() === 'fetch' && new URL(answer.url()).pathname === href);
  await Promise.all([page.waitForNavigation(), form.locator('button').click()]);
  await (await asked).finished();
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  assert.equal(await page.locator('main form[action$="/fail"] [name="reason"]').inputValue(), 'no');
  assert.equal(await page.locator('main [data-complaints]').count(), 1);
});

step('the checklist and the validation are worked through', async () => { await crew.workPhases('checklist', 'validation'); });

step('an automatic item cannot be ticked by hand', async () => {
  const page = await crew.as('devops_lead');
  const list = await crew.rows('devops_lead');
  const { href } = list.find((r) => r.item === 'PRE-P1');
  await page.goto(base + href);
  const version = await page.locator('input[name="version"]').first().inputValue().catch(() => '1');
  const answer = await page.request.post(`${base}${href}/done`, { form: { version, note: 'trust me' }, headers: { Origin: base, 'Sec-Fetch-Site': 'same-origin' } });
  assert.ok([409, 422].includes(answer.status()), `status ${answer.status()}`);
});

step('go / no-go is signed by four people, DevOps last', async () => {
  const lead = await crew.as('devops_lead');
  await lead.goto(`${crew.home}/gates/go_no_go`);
  await shot(lead, 'gate-blocked');
  await crew.signByFour('go_no_go');
  for (const name of ['backend', 'qa', 'statistics', 'devops']) assert.equal(await crew.slot('go_no_go', name), 'valid', name);
});

for (const version of ['V0.0.20', 'V0.0.21', 'V0.0.22']) {
  step(`${version} is applied`, async () => {
    if (version === 'V0.0.20') {
      await shot(await crew.fresh('devops_engineer', '/migrations', 'migration_list'), 'migrations');
      await crew.workOne('P2.1a');
    }
    const page = await crew.apply('devops_engineer', version);
    await page.goto(`${base}/migrations`);
    await page.locator(`[data-version="${version}"][data-state="applied"]`).first().waitFor();
  });
}

step('health is judged after the migrations', async () => {
  const page = await crew.as('qa_lead');
  await page.goto(`${base}/health-checks`);
  await at(page, 'health');
  await press(page, 'check-now');
  await at(page, 'health');
  await shot(page, 'health');
});

step('the phases after T-0 are worked through', async () => { await crew.workPhases('migrations', 'application', 'verification', 'monitoring', 'acceptance'); });

step('the final sign-off; the applier is not among those who judge', async () => {
  await crew.signByFour('final');
  const page = await crew.as('viewer');
  await page.goto(crew.home);
  await at(page, 'release_show');
  assert.match(await page.locator('[data-live-region="head"]').first().innerText(), /signed off/i);
  await shot(page, 'release');
});

step('the audit trail holds all of it, and its chain is whole', async () => {
  const page = await crew.as('auditor');
  await page.goto(`${base}/audit`);
  await at(page, 'audit_list');
  assert.ok((await page.locator('[data-row]').count()) > 20);
  await shot(page, 'audit');
});

step('the other company sees nothing of it', async () => {
  const page = await person(browser, 'devops.lead@saltway');
  assert.doesNotMatch(await page.locator('body').innerText(), new RegExp(release));
  for (const path of [new URL(crew.home).pathname, `${new URL(crew.home).pathname}/gates/final`, `${new URL(crew.home).pathname}/items/PRE-P1`]) {
    const answer = await page.goto(base + path);
    assert.equal(answer.status(), 404, path);
  }
  for (const path of ['/releases', '/migrations', '/audit', '/health-checks']) {
    await page.goto(base + path);
    assert.doesNotMatch(await page.locator('body').innerText(), /@rivermark|Rivermark Print/, path);
  }
});
