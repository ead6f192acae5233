// A release is taken back by two people against the clock, and looked back on: rollback, its review, the dossier as it is read,
// and a runbook of the company's own for the next time.
import { test, before, after } from 'node:test';
import { readFile } from 'node:fs/promises';
import { assert, at, base, Crew, dossier, findings, launch, press, story } from './lib.mjs';

const step = story(test);

let browser;
let crew;
let page; // of who decides
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
  await crew.resume('devops_engineer');
});
after(async () => { await browser?.close(); });

const rollback = () => `${new URL(crew.home).pathname}/rollback`;

step('somebody decides, with a way that loses data; it waits for a second person', async () => {
  page = await crew.fresh('devops_lead', rollback(), 'release_rollback');
  assert.equal((await press(page, 'rollback')).status(), 422);
  await page.locator('[name="option"][value="RB-5"]').check();
  await page.locator('[name="reason"]').fill('Writes to lots fail.');
  await press(page, 'rollback');
  assert.equal(await page.locator('[data-rollback][data-state="asked"]').count(), 1);
  assert.match(await page.locator('[data-clock]').innerText(), /Running for \d+(\.\d)? s/);
  assert.equal(await page.locator('[data-action="agree"], [data-action^="done-"]').count(), 0, 'who decided agrees alone, or a step is offered already');
  assert.deepEqual(await findings(page), []);
});

step('a second person agrees, whom the page of the first has waited for', async () => {
  const second = await crew.fresh('on_call_engineer', '/waiting', 'waiting_list');
  await second.locator('[data-row]', { hasText: 'Rollback by RB-5' }).locator('a').first().click();
  await at(second, 'release_rollback');
  await press(second, 'agree');
  await page.locator('[data-rollback][data-state="under_way"], [data-action="done-1"]').first().waitFor();
});

step('the steps are settled with what was seen, and it ends', async () => {
  const worker = await crew.as('on_call_engineer');
  await worker.goto(base + rollback());
  assert.equal((await press(worker, 'done-1')).status(), 422);
  for (const n of [1, 2, 3]) {
    await worker.locator(`#note-${n}`).fill(`Seen at step ${n}.`);
    await press(worker, n === 2 ? 'leave-2' : `done-${n}`);
  }
  await worker.locator('form:has([data-action="end"]) [name="end_note"]').fill('It runs as before.');
  await press(worker, 'end');
  assert.equal(await worker.locator('[data-rollback][data-state="rolled_back"]').count(), 1);
  assert.equal(await worker.locator('[data-finding]').count(), 1);
});

step('somebody who neither decided nor ended it reviews it', async () => {
  const own = await crew.as('devops_lead');
  await own.goto(base + rollback());
  assert.equal(await own.locator('[data-action="review-good"]').count(), 0);
  const other = await crew.fresh('backend_lead', rollback(), 'release_rollback');
  await other.locator('[name="review_note"]').fill('The ledger and the notes agree.');
  await press(other, 'review-good');
  assert.match(await other.locator('[data-reviewed]').innerText(), /Bela Novak[\s\S]*in order/);
  assert.equal(await other.locator('[data-finding]').count(), 0);
});

step('the dossier, as a stranger reads it: axe finds nothing in either theme, at either width, and it tells of the rollback', async () => {
  const auditor = await crew.as('auditor');
  await auditor.goto(crew.home);
  const text = await dossier(auditor, 'dossier.html');
  assert.match(text, /RB-5[\s\S]*Writes to lots fail\.[\s\S]*The ledger and the notes agree\./);
  const context = await browser.newContext();
  const reader = await context.newPage();
  await reader.route('http://dossier.test/**', (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body: text }));
  await reader.goto('http://dossier.test/dossier.html');
  for (const [width, colorScheme] of [[1440, 'light'], [390, 'dark']]) {
    await reader.setViewportSize({ width, height: 844 });
    await reader.emulateMedia({ colorScheme });
    assert.deepEqual(await findings(reader), [], `${colorScheme} at ${width}`);
    const [room, whole] = await reader.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
    assert.ok(whole <= room, `the dossier is ${whole} px wide on a screen of ${room}`);
  }
  await context.close();
});

step('a runbook of the company: refused with every fault and its line, then imported and offered', async () => {
  const lead = await crew.as('devops_lead');
  await lead.goto(`${base}/releases`);
  await lead.locator('[data-nav-runbooks]').click();
  await at(lead, 'runbook_list');
  const template = JSON.parse(await readFile('../runbook/templates/bin-optimization.v1.5.json', 'utf8'));
  const bring = async (content) => {
    await lead.locator('[name="runbook_file"]').setInputFiles({ name: 'ours.json', mimeType: 'application/json', buffer: Buffer.from(content) });
    return press(lead, 'import');
  };
  assert.equal((await bring('no JSON at all')).status(), 422);
  assert.equal((await bring(JSON.stringify({ ...template, name: 'ours', colour: 'red', gates: [] }, null, 1))).status(), 422);
  const said = await lead.locator('[data-problems]').innerText();
  assert.match(said, /line \d+: error: colour/);
  assert.match(said, /line \d+: error: phases\[0\]\.gate/);
  const first = await lead.locator('main section').first().innerText();
  assert.match(first, /What is wrong with the file/, 'what was refused stands below the list');
  assert.deepEqual(await findings(lead), []);
  await bring(JSON.stringify({ ...template, name: 'ours-slow-and-careful', version: '1.0.0', title: 'Our own deployment' }, null, 1));
  await lead.locator('[data-runbook="ours-slow-and-careful 1.0.0"]').waitFor();
  assert.equal((await bring(JSON.stringify({ ...template, name: 'ours-slow-and-careful', version: '1.0.0', title: 'Another' }, null, 1))).status(), 409);
  const engineer = await crew.as('devops_engineer');
  await engineer.goto(`${base}/releases/new`);
  assert.ok(await engineer.getByText('Our own deployment 1.0.0').isVisible());
  assert.equal(await engineer.locator('#older label').first().isVisible(), false, 'older versions stand unfolded');
});
