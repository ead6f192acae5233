// The main job, end to end: one release from its first item to the final sign-off, by the people it needs.
import { test, before, after } from 'node:test';
import { at, assert, authenticate, base, launch, person, press, release, state, story } from './lib.mjs';

const step = story(test);

let browser;
const people = new Map();
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

// as gives the page of the person who holds a role at Rivermark, signing them in the first time.
async function as(role) {
  const username = `${role.replaceAll('_', '.')}@rivermark`;
  if (!people.has(username)) people.set(username, await person(browser, username));
  return people.get(username);
}

async function shot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: false });
}

let home; // the release's address

// rows reads the items of the release's page: id, address, owner's role, state.
async function rows(page, within = '') {
  await page.goto(home);
  await at(page, 'release_show');
  return page.locator(`${within} [data-row][data-item]`).evaluateAll((list) => list.map((row) => ({
    item: row.dataset.item,
    href: row.querySelector('a').getAttribute('href'),
    owner: row.querySelector('td').textContent.trim().toLowerCase().replaceAll(/[ -]/g, '_'),
  })));
}

const numbers = { 'PRE-P4': '9.5', 'P3.1d': '3', 'H24-3': '0' };

// work finishes an item by whoever owns it: an automatic one by its check, any other by evidence.
async function work({ item, href, owner }) {
  const page = await as(owner);
  await page.goto(base + href);
  await at(page, 'item_show');
  const before = await state(page, '[data-item]');
  if (before === 'done') return;
  if (await page.locator('[data-action="check"]').count()) {
    await press(page, 'check');
  } else {
    const form = page.locator('form:has([data-action="done"])');
    const typed = { evidence_text: `Seen with our own eyes for ${item}.`, evidence_number: numbers[item] ?? '0.5', evidence_link: `https://evidence.example.com/${item}` };
    for (const [name, value] of Object.entries(typed)) {
      const field = form.locator(`[name="${name}"]`);
      if (await field.count()) await field.fill(value);
    }
    const statement = form.locator('[name="evidence_statement"]');
    if (await statement.count()) await statement.check();
    await press(page, 'done');
  }
  assert.equal(await state(page, '[data-item]'), 'done', `${item}: ${await page.locator('main').innerText()}`);
}

async function workPhases(...wanted) {
  for (const phase of wanted) {
    const items = await rows(await as('devops_engineer'), `[data-phase="${phase}"]`);
    assert.ok(items.length > 0, `phase ${phase} has items`);
    for (const item of items) await work(item);
  }
}

// sign goes through the fresh sign-in where one is asked for, and signs the gate in the person's slot.
async function sign(gate, role, { score } = {}) {
  const page = await as(role);
  await page.goto(`${home}/gates/${gate}`);
  await at(page, 'gate_show');
  if (await page.locator('[data-action="fresh"]').count()) {
    await page.locator('[data-action="fresh"]').first().click();
    await authenticate(page, `${role.replaceAll('_', '.')}@rivermark`);
    await at(page, 'gate_show');
  }
  const meaning = page.locator('select[name="meaning"]');
  if (await meaning.count()) await meaning.selectOption({ index: (await meaning.locator('option').count()) - 1 });
  if (score) await page.locator('[name="score"]').fill(score);
  await shot(page, `sign-${gate}`);
  await press(page, 'sign');
  return page;
}

async function slot(gate, name) {
  const page = await as('viewer');
  await page.goto(home);
  return page.locator(`[data-gate="${gate}"] [data-slot="${name}"]`).first().getAttribute('data-state');
}

step('the release starts', async () => {
  const page = await as('devops_engineer');
  await page.goto(`${base}/releases`);
  await shot(page, 'releases-empty');
  await page.goto(`${base}/releases/new`);
  await at(page, 'release_start');
  assert.equal(await page.locator('[name="code"]').inputValue(), release);
  // Its last hour is over, so that what claims an hour can be said in one sitting.
  await page.locator('[name="zone"]').selectOption('UTC');
  await page.locator('[name="t_zero"]').fill(new Date(Date.now() - 65 * 60_000).toISOString().slice(0, 16));
  // A double press: it starts once, and the second press meets nothing that leads away.
  await Promise.all([page.waitForNavigation(), page.locator('main [data-action="start"]').dblclick()]);
  await at(page, 'release_show');
  home = page.url();
  assert.match(await page.locator('main').innerText(), new RegExp(release));
});

step('it is the only one of its environment', async () => {
  const page = await as('devops_lead');
  await page.goto(`${base}/releases/new`);
  const button = page.locator('main [data-action="start"]');
  if (await button.count()) await button.click();
  assert.match(await page.locator('main').innerText(), /under way/);
});

step('nothing can be applied before the gate', async () => {
  const page = await as('devops_engineer');
  await page.goto(`${base}/migrations/V0.0.20`);
  await at(page, 'migration_show');
  assert.equal(await page.locator('main button[data-action="apply"]:not([disabled])').count(), 0);
});

// order presses a button of the page of backups and waits until what it ordered has succeeded.
async function order(page, selector) {
  await page.goto(`${base}/migrations/backups`);
  await at(page, 'backup_list');
  await page.locator(selector).click();
  await at(page, 'operation_show');
  await page.locator('[data-live-region="state"][data-state="succeeded"]').waitFor({ timeout: 120_000 });
}

step('a backup is taken, restored, and rehearsed on', async () => {
  const page = await as('devops_engineer');
  await order(page, 'main [data-action="take-backup"]');
  await shot(page, 'operation-backup');
  await order(page, 'main form[action$="/rehearse"] button');
  await shot(page, 'operation-rehearsal');
  await page.goto(`${base}/migrations/backups`);
  assert.equal(await page.locator('[data-row][data-backup] [data-state="proven"]').count(), 1);
  await shot(page, 'backups');
});

step('the checklist and the validation are worked through', async () => { await workPhases('checklist', 'validation'); });

step('an automatic item cannot be ticked by hand', async () => {
  const page = await as('devops_lead');
  const list = await rows(page);
  const { href } = list.find((r) => r.item === 'PRE-P1');
  await page.goto(base + href);
  const version = await page.locator('input[name="version"]').first().inputValue().catch(() => '1');
  const answer = await page.request.post(`${base}${href}/done`, { form: { version, note: 'trust me' }, headers: { Origin: base, 'Sec-Fetch-Site': 'same-origin' } });
  assert.ok([409, 422].includes(answer.status()), `status ${answer.status()}`);
});

step('go / no-go is signed by four people, DevOps last', async () => {
  const lead = await as('devops_lead');
  await lead.goto(`${home}/gates/go_no_go`);
  await shot(lead, 'gate-blocked');
  for (const [role, options] of [['backend_lead', {}], ['qa_lead', { score: '9.5' }], ['statistical_expert', {}], ['devops_lead', {}]]) await sign('go_no_go', role, options);
  for (const name of ['backend', 'qa', 'statistics', 'devops']) assert.equal(await slot('go_no_go', name), 'valid', name);
});

for (const version of ['V0.0.20', 'V0.0.21', 'V0.0.22']) {
  step(`${version} is applied`, async () => {
    const page = await as('devops_engineer');
    if (version === 'V0.0.20') {
      // What is applied asks for a sign-in that is no older than ten minutes; ours may be.
      await page.goto(`${base}/login?fresh=1&return=/migrations`);
      await authenticate(page, 'devops.engineer@rivermark');
      await at(page, 'migration_list');
      await shot(page, 'migrations');
      await work((await rows(page)).find((row) => row.item === 'P2.1a'));
    }
    await page.goto(`${base}/migrations/${version}`);
    await at(page, 'migration_show');
    await shot(page, `migration-${version}`);
    await press(page, 'apply');
    await at(page, 'migration_run');
    await page.locator('[data-live-region="state"][data-state="succeeded"]').waitFor({ timeout: 60_000 });
    await shot(page, `run-${version}`);
    await page.goto(`${base}/migrations`);
    await page.locator(`[data-version="${version}"][data-state="applied"]`).first().waitFor();
  });
}

step('health is judged after the migrations', async () => {
  const page = await as('qa_lead');
  await page.goto(`${base}/health-checks`);
  await at(page, 'health');
  await press(page, 'check-now');
  await at(page, 'health');
  await shot(page, 'health');
});

step('the phases after T-0 are worked through', async () => { await workPhases('migrations', 'application', 'verification', 'monitoring', 'acceptance'); });

step('the final sign-off; the applier is not among those who judge', async () => {
  for (const [role, options] of [['backend_lead', {}], ['qa_lead', { score: '9.5' }], ['statistical_expert', {}], ['devops_lead', {}]]) await sign('final', role, options);
  const page = await as('viewer');
  await page.goto(home);
  await at(page, 'release_show');
  assert.match(await page.locator('[data-live-region="head"]').first().innerText(), /signed off/i);
  await shot(page, 'release');
});

step('the audit trail holds all of it, and its chain is whole', async () => {
  const page = await as('auditor');
  await page.goto(`${base}/audit`);
  await at(page, 'audit_list');
  assert.ok((await page.locator('[data-row]').count()) > 20);
  await shot(page, 'audit');
});

step('the other company sees nothing of it', async () => {
  const page = await person(browser, 'devops.lead@saltway');
  assert.doesNotMatch(await page.locator('body').innerText(), new RegExp(release));
  for (const path of [new URL(home).pathname, `${new URL(home).pathname}/gates/final`, `${new URL(home).pathname}/items/PRE-P1`]) {
    const answer = await page.goto(base + path);
    assert.equal(answer.status(), 404, path);
  }
  for (const path of ['/releases', '/migrations', '/audit', '/health-checks']) {
    await page.goto(base + path);
    assert.doesNotMatch(await page.locator('body').innerText(), /@rivermark|Rivermark Print/, path);
  }
});
