// The main job with script switched off: evidence of every kind, two people at one item, a gate that is rejected, opened anew
// and signed, the audit trail and what is taken out of it. Nothing here may depend on script.
import { test, before, after } from 'node:test';
import { aged, at, assert, authenticate, base, Crew, launch, press, state, story, unfold } from './lib.mjs';

const step = story(test);

let browser;
let crew;
before(async () => {
  browser = await launch();
  crew = new Crew(browser, 'rivermark', { javaScriptEnabled: false });
});
after(async () => { await browser?.close(); });

// opened is somebody's page of an item.
async function opened(role, item) {
  const page = await crew.as(role);
  await page.goto(`${crew.home}/items/${item}`);
  await at(page, 'item_show');
  return page;
}

// longAgo gives the page of somebody who proved who they are an hour ago.
async function longAgo(role) {
  await crew.people.get(role)?.context().close();
  crew.people.delete(role);
  return aged(() => crew.as(role));
}

const words = (page) => page.locator('main').innerText();

step('no script of ours runs', async () => {
  const page = await crew.as('devops_engineer');
  assert.equal(await page.locator('html[data-script="ready"]').count(), 0);
});

step('a form that starts a release is refused, and keeps what was typed', async () => {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/releases/new`);
  await page.locator('[name="code"]').fill('no/slash');
  await page.locator('[name="title"]').fill('A title that is kept');
  assert.equal((await press(page, 'start')).status(), 422);
  assert.equal(await page.locator('[name="code"]').inputValue(), 'no/slash');
  assert.equal(await page.locator('[name="title"]').inputValue(), 'A title that is kept');
  assert.equal(await page.locator('[data-complaints] a[href="#code"]').count(), 1);
});

step('a release starts once, however often it is pressed', async () => { await crew.start('devops_engineer'); });

step('a backup is taken and rehearsed on; the page of what was ordered reloads itself', async () => {
  await crew.order('devops_engineer', 'main [data-action="take-backup"]');
  await crew.order('devops_engineer', 'main form[action$="/rehearse"] button');
});

step('somebody changes an item while another types: both versions are there, and no word is lost', async () => {
  const first = await opened('backend_lead', 'PRE-P7');
  const second = await opened('on_call_engineer', 'PRE-P7');
  await second.locator('[name="evidence_text"]').fill('What the second saw.');
  await press(first, 'take');
  assert.equal((await press(second, 'done')).status(), 409);
  assert.match(await second.locator('[data-conflict]').innerText(), /while you were typing[\s\S]*Bela Novak/);
  assert.match(await second.locator('[data-typed]').innerText(), /What the second saw\./);

  await unfold(second, '[data-action="takeover"]');
  await second.locator('#reason-takeover').fill('I have it in front of me.');
  await press(second, 'takeover');
  await first.reload();
  await unfold(first, '[data-action="takeover"]');
  await first.locator('#reason-takeover').fill('Together with the second.');
  await second.locator('[name="evidence_text"]').fill('What the second saw.');
  await press(second, 'done');
  assert.equal((await press(first, 'takeover')).status(), 409);
  assert.match(await words(first), /What the second saw\./);
  assert.match(await first.locator('[data-typed]').innerText(), /Together with the second\./);
});

step('an item is taken over with a note, and who had it is told', async () => {
  const had = await opened('devops_lead', 'PRE-C2');
  await press(had, 'take');
  const next = await opened('devops_engineer', 'PRE-C2');
  await unfold(next, '[data-action="takeover"]');
  assert.equal((await press(next, 'takeover')).status(), 422);
  assert.equal(await next.locator('[data-complaints] a[href="#reason-takeover"]').count(), 1);
  await next.locator('#reason-takeover').fill('They are in the aisle; I do it.');
  await press(next, 'takeover');
  assert.match(await next.locator('[data-holder]').innerText(), /you/);
  await had.reload();
  assert.match(await had.locator('[data-taken-from]').innerText(), /They are in the aisle/);
  await next.locator('[name="evidence_text"]').fill('Told, and understood.');
  await press(next, 'done');
  assert.equal(await state(next, '[data-item]'), 'done');
});

step('a comment is made, and a file attached and taken out again', async () => {
  const page = await opened('qa_lead', 'PRE-C1');
  assert.equal((await press(page, 'comment')).status(), 422);
  await page.locator('[name="comment"]').fill('Seen, and nothing is missing.');
  await press(page, 'comment');
  assert.match(await page.locator('[data-comment]').innerText(), /nothing is missing/);

  await unfold(page, '[data-action="attach"]');
  assert.equal((await press(page, 'attach')).status(), 422);
  await page.locator('details[open] [name="evidence_file"]').setInputFiles({ name: 'notes of the call.txt', mimeType: 'text/plain', buffer: Buffer.from('What was said.') });
  await press(page, 'attach');
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-file] a').click()]);
  assert.equal(download.suggestedFilename(), 'notes of the call.txt');
});

step('what need not be done is skipped with a reason, what must be by a signature after a fresh sign-in', async () => {
  const easy = await opened('frontend_lead', 'PRE-P6');
  await unfold(easy, '[data-action="skip"]');
  await easy.locator('#reason-skip').fill('No page of ours changes.');
  await press(easy, 'skip');
  assert.equal(await state(easy, '[data-item]'), 'skipped');

  await longAgo('qa_lead');
  const page = await opened('qa_lead', 'PRE-P3');
  await unfold(page, '[data-action="fresh"]');
  await press(page, 'fresh');
  await authenticate(page, crew.username('qa_lead'));
  await at(page, 'item_show');
  await unfold(page, '[data-action="waive"]');
  await page.locator('#reason-waive').fill('The same suite passed an hour ago on this commit.');
  await press(page, 'waive');
  assert.equal(await state(page, '[data-item]'), 'skipped');
  assert.match(await page.locator('[data-waived]').innerText(), /Quinn Harper[\s\S]*The same suite passed/);
});

step('the rest of the checklist and the validation is worked through', async () => {
  for (const phase of ['checklist', 'validation']) {
    for (const row of await crew.rows('devops_engineer', `[data-phase="${phase}"]`)) {
      if (!['PRE-P3', 'PRE-P6', 'PRE-P7'].includes(row.item)) await crew.work(row);
    }
  }
});

step('go / no-go is signed by one, rejected by another, and opened anew', async () => {
  await crew.sign('go_no_go', 'backend_lead');
  assert.equal(await crew.slot('go_no_go', 'backend'), 'valid');
  const qa = await crew.fresh('qa_lead', new URL(`${crew.home}/gates/go_no_go`).pathname, 'gate_show');
  await unfold(qa, '[data-action="reject"]');
  assert.equal((await press(qa, 'reject')).status(), 422);
  await qa.locator('[name="reject_reason"]').fill('The test report names another commit.');
  await press(qa, 'reject');
  assert.match(await qa.locator('[data-stopped]').innerText(), /another commit/);

  const lead = await crew.as('devops_lead');
  await lead.goto(`${crew.home}/gates/go_no_go`);
  assert.equal((await press(lead, 'reopen')).status(), 422);
  await lead.locator('[name="attempt_note"]').fill('The report of the right commit is attached.');
  await press(lead, 'reopen');
  assert.equal(await lead.locator('[data-stopped]').count(), 0);
  assert.match(await lead.locator('[data-stop]').innerText(), /another commit/);
});

step('who proved themselves an hour ago signs in afresh, comes back to the gate, and signs', async () => {
  const page = await longAgo('backend_lead');
  await page.goto(`${crew.home}/gates/go_no_go`);
  assert.equal(await page.locator('[data-action="sign"]').count(), 0);
  await press(page, 'fresh');
  await authenticate(page, crew.username('backend_lead'));
  await at(page, 'gate_show');
  assert.equal((await press(page, 'sign')).status(), 422, 'a meaning is chosen, not taken for granted');
  await page.locator('[name="meaning"]').selectOption('approved');
  await press(page, 'sign');
  assert.equal(await crew.slot('go_no_go', 'backend'), 'valid');
});

step('the others sign, DevOps last; the signature can be read and its bytes taken', async () => {
  for (const [role, options] of [['qa_lead', { score: '9.5' }], ['statistical_expert', {}], ['devops_lead', {}]]) await crew.sign('go_no_go', role, options);
  for (const name of ['backend', 'qa', 'statistics', 'devops']) assert.equal(await crew.slot('go_no_go', name), 'valid', name);
  const page = await crew.as('viewer');
  await page.goto(`${crew.home}/gates/go_no_go`);
  await page.locator('[data-signature] a').first().click();
  await at(page, 'signature_show');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'The bytes that were hashed' }).click()]);
  assert.match(download.suggestedFilename(), /json$/);
});

step('the audit trail is filtered, paged and taken out', async () => {
  const page = await crew.as('auditor');
  await page.goto(`${base}/audit`);
  await at(page, 'audit_list');
  const newest = await page.locator('[data-audit]').first().getAttribute('data-audit');
  await press(page, 'older');
  assert.notEqual(await page.locator('[data-audit]').first().getAttribute('data-audit'), newest);
  await page.locator('#action').fill('gate:reject');
  await press(page, 'filter');
  const acts = await page.locator('[data-act]').evaluateAll((rows) => rows.map((row) => row.dataset.act));
  assert.ok(acts.length > 0 && acts.every((act) => act === 'gate:reject'), `filtered: ${acts}`);
  for (const [action, ends] of [['export-jsonl', /\.jsonl$/], ['export-csv', /\.csv$/]]) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-action="${action}"]`).click()]);
    assert.match(download.suggestedFilename(), ends);
  }
  await press(page, 'clear');
  await press(page, 'verify');
  assert.equal(await state(page, '[data-chain]'), 'whole');
});

step('the dossier is taken out', async () => {
  const page = await crew.as('auditor');
  await page.goto(crew.home);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-action="dossier"]').click()]);
  assert.match(download.suggestedFilename(), /\.(tar\.gz|zip|tgz)$/);
});

step('a release is not aborted by who types another name; the reason stays', async () => {
  const page = await crew.as('devops_lead');
  await page.goto(crew.home);
  await unfold(page, '[data-action="abort"]');
  await page.locator('[name="abort_reason"]').fill('The walk is over.');
  await page.locator('[name="confirm"]').fill('something else');
  assert.equal((await press(page, 'abort')).status(), 422);
  assert.equal(await page.locator('[name="abort_reason"]').inputValue(), 'The walk is over.');
}); // rollback.test.mjs takes this release back, and the keyboard aborts its own
