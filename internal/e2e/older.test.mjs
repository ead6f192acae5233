// The database is an older one than the head of the audit trail that was published last: it is read-only until somebody says
// that it is meant, each company of its own trail.
import { test, before, after } from 'node:test';
import { at, assert, base, Crew, launch, press, shot, story } from './lib.mjs';

const step = story(test);

let browser;
let crew;
let theirs;
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
  theirs = new Crew(browser, 'saltway');
});
after(async () => { await browser?.close(); });

const alarm = (page) => page.locator('[data-alarm]').count();

async function acknowledge(page, reason) {
  await page.locator('main [name="reason"]').fill(reason);
  await press(page, 'acknowledge');
  await at(page, 'audit_list');
  assert.equal(await alarm(page), 0);
}

step('every page of the company says so, and nothing is changed', async () => {
  const page = await crew.as('devops_engineer');
  for (const path of ['/releases', '/migrations', '/migrations/backups', '/health-checks', '/me']) {
    for (const replica of ['one', 'other']) { // requests go to the two programs in turn
      await page.goto(base + path);
      assert.equal(await alarm(page), 1, `${path}, ${replica}`);
    }
  }
  await shot(page, 'older-state');
  await page.goto(`${base}/migrations/backups`);
  const button = page.locator('main [data-action="take-backup"]').first();
  assert.ok(await button.isDisabled(), 'a form can be sent while nothing may be changed');
  await page.locator('fieldset.shut').evaluate((shut) => { shut.disabled = false; }); // as on a page that was opened before
  await press(page, 'take-backup');
  assert.match(await page.locator('main').innerText(), /older state of this database was restored/);
  await page.goto(`${base}/migrations/backups`);
  assert.equal(await page.locator('[data-operation]').count(), 0, 'it was ordered all the same');
});

step('the other company is told of its own trail, and acknowledges for itself alone', async () => {
  const ours = await (await crew.as('devops_engineer')).locator('[data-alarm]').innerText();
  const lead = await theirs.as('devops_lead');
  await lead.goto(`${base}/releases`);
  const said = await lead.locator('[data-alarm]').innerText();
  assert.match(said, /entry \d+ of the audit trail was published/);
  assert.notEqual(said, ours, 'it is told of what is not its own');
  const page = await theirs.fresh('auditor', '/audit', 'audit_list');
  await acknowledge(page, 'Our share of the same copy.');
  await lead.goto(`${base}/releases`);
  assert.equal(await alarm(lead), 0);
  const still = await crew.as('devops_engineer');
  await still.goto(`${base}/releases`);
  assert.equal(await alarm(still), 1, 'another company acknowledged for ours');
});

step('who may acknowledge it is named; an auditor does, with a reason, and work goes on', async () => {
  const lead = await crew.as('devops_lead');
  await lead.goto(`${base}/audit`);
  assert.equal(await lead.locator('main [data-action="acknowledge"]').count(), 0);
  assert.match(await lead.locator('[data-who-may]').innerText(), /Auditor/);
  const page = await crew.fresh('auditor', '/audit', 'audit_list');
  await shot(page, 'older-audit');
  await press(page, 'acknowledge');
  assert.ok(await page.locator('[data-complaints] a[href="#reason"]').count(), 'no reason is asked for');
  await acknowledge(page, 'The disk was lost; this is the copy of the night.');
  assert.equal(await page.locator('[data-act="audit:acknowledge"][data-state="done"]').count(), 1);
  await crew.start('devops_engineer');
  await page.goto(`${base}/audit`);
  await press(page, 'verify');
  await at(page, 'audit_list');
  assert.equal(await alarm(page), 0);
});
