// The warehouse as it is after the walk of the migrations: what another tool backed up is registered, and the warehouse is put
// back by two people.
import { test, before, after } from 'node:test';
import { copyFile } from 'node:fs/promises';
import { at, assert, base, byHand, Crew, launch, press, shot, story } from './lib.mjs';

const step = story(test);
const externals = '/migrations/backups/external';

let browser;
let crew;
let theirs; // another company's people
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
  theirs = new Crew(browser, 'saltway');
});
after(async () => { await browser?.close(); });

// past posts what the page does not offer.
async function past(page, path, form) {
  return page.request.post(base + path, { form, headers: { Origin: base, 'Sec-Fetch-Site': 'same-origin' } });
}

const minutes = (n) => new Date(Date.now() - n * 60_000).toISOString().slice(0, 16);

async function fill(page, typed) {
  for (const [name, value] of Object.entries(typed)) await page.locator(`main form [name="${name}"]`).first().fill(value);
}

// ---- backups of other tools --------------------------------------------------

let external; // the address of its page

const stood = async (state, tone) => {
  for (const path of ['/migrations/backups', externals]) {
    const page = await crew.as('viewer');
    await page.goto(base + path);
    const row = page.locator(`[data-externals] tr:has(a[href="${external}"])`);
    assert.deepEqual([await row.getAttribute('data-state'), await row.getAttribute('data-tone')], [state, tone], `${path}: ${await row.innerText()}`);
  }
};

step('a backup of another tool is registered; all that is wrong is said beside its field, and nothing typed is lost', async () => {
  const page = await crew.fresh('devops_engineer', externals, 'external_list');
  await fill(page, { provider: 'Night snapshots', sha256: 'abc' });
  await press(page, 'register');
  await at(page, 'external_list');
  for (const name of ['identifier', 'taken', 'covers', 'evidence', 'sha256']) assert.ok(await page.locator(`[data-complaints] a[href="#${name}"]`).count(), `nothing is said about ${name}`);
  assert.equal(await page.locator('[name="provider"]').inputValue(), 'Night snapshots');
  assert.equal(await page.locator('[data-external]').count(), 0, 'something was registered');
  await fill(page, { identifier: 'snap-0042', taken: minutes(90), covers: 'The whole cluster.', evidence: 'https://snapshots.example.com/snap-0042', sha256: '' });
  await press(page, 'register');
  await at(page, 'external_show');
  external = new URL(page.url()).pathname;
  await stood('due', 'warn');
});

step('unrestored for longer than its days it is overdue; a person attests a drill, which opens no gate', async () => {
  await byHand(`ALTER TABLE gatehouse.external_backups DISABLE TRIGGER USER; UPDATE gatehouse.external_backups SET taken_at = taken_at - interval '31 days', registered_at = registered_at - interval '31 days';
    ALTER TABLE gatehouse.external_backups ENABLE TRIGGER USER`);
  await stood('overdue', 'bad');
  const page = await crew.as('devops_engineer');
  await page.goto(base + external);
  await shot(page, 'external-overdue');
  await fill(page, { restored: minutes(30), evidence: 'Restored on the standby; counted by the night shift.' });
  await press(page, 'attest');
  await at(page, 'external_show');
  await stood('attested', 'warn');
  assert.match(await page.locator('[data-follows]').innerText(), /opens no gate/);
});

step('a dump that lies where backups are kept is restored here; that it is of this database nothing shows, so it stays amber', async () => {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/migrations/backups`);
  const name = (await page.locator('[data-row][data-backup]').first().innerText()).match(/\S+\.dump/)[0];
  await copyFile(`${process.env.BACKUPS}/${name}`, `${process.env.BACKUPS}/night.dump`);
  await page.goto(base + externals);
  await fill(page, { provider: 'Night job', identifier: 'night.dump', taken: minutes(5), covers: 'The database.', evidence: 'The job said so.', file: 'night.dump' });
  await press(page, 'register');
  await at(page, 'external_show');
  external = new URL(page.url()).pathname;
  await press(page, 'drill-external');
  await at(page, 'operation_show');
  await crew.watch(page, 'operation_show', ['qa_lead']);
  await stood('unproven', 'warn');
});

// ---- a restore, by two people ------------------------------------------------

let backup; // taken before V0.0.20
let page;
const database = 'gatehouse';
const reason = 'The import of the night spoilt the lots.';
const request = () => page.locator('[data-request]').first();

async function opened(role) {
  page = await crew.fresh(role, backup, 'backup_restore');
  return page;
}

async function ask() {
  await opened('devops_engineer');
  await press(page, 'look');
  await at(page, 'backup_restore');
  await fill(page, { reason, database });
  await press(page, 'ask');
  await at(page, 'backup_restore');
  assert.equal(await request().getAttribute('data-state'), 'asked', await page.locator('main').innerText());
}

step('what a restore would lose is counted; the name of another database asks for nothing', async () => {
  page = await crew.as('devops_engineer');
  await page.goto(`${base}/migrations/backups`);
  backup = await page.locator('[data-row][data-backup]').last().locator('a[href$="/restore"]').getAttribute('href');
  await opened('devops_engineer');
  await press(page, 'look');
  await at(page, 'backup_restore');
  const said = await page.locator('[data-look] ~ [data-versions]').innerText();
  for (const version of ['V0.0.20', 'V0.0.21', 'V0.0.22']) assert.match(said, new RegExp(version));
  await fill(page, { reason, database: 'warehouse' });
  assert.ok(await page.locator('main [data-action="ask"]').isDisabled(), 'the button is on beside another name');
  const hidden = (name) => page.locator(`main form input[name="${name}"]`).first().inputValue();
  const answer = await past(page, backup, { key: await hidden('key'), look: await hidden('look'), reason, database: 'warehouse' });
  const body = await answer.text();
  assert.equal(answer.status(), 422, body);
  assert.ok(body.includes(reason) && body.includes('not the name of this database'), body);
  assert.equal(await request().count(), 0);
});

step('one person alone restores nothing', async () => {
  await ask();
  assert.match(await request().innerText(), /You asked for it, so somebody else has to agree/);
  assert.equal(await page.locator('main [data-action="agree"], main [data-action="restore"]').count(), 0);
  const form = { database, key: crypto.randomUUID() };
  const here = `${backup}/${await request().getAttribute('data-request')}`;
  const alone = await past(page, `${here}/start`, form);
  assert.equal(alone.status(), 409, await alone.text());
  assert.match(await alone.text(), /Nobody has agreed/);
  const stranger = await theirs.as('devops_lead');
  assert.ok([403, 404].includes((await past(stranger, `${here}/withdraw`, {})).status()), 'another company withdraws it');
  assert.ok([403, 404].includes((await stranger.goto(base + backup)).status()), 'another company looks at it');
});

step('a request is withdrawn, another one expires; neither is agreed to any more', async () => {
  await press(page, 'withdraw');
  await at(page, 'backup_restore');
  assert.equal(await request().getAttribute('data-state'), 'withdrawn');
  await ask();
  await byHand(`ALTER TABLE gatehouse.restore_requests DISABLE TRIGGER USER; UPDATE gatehouse.restore_requests SET asked_at = asked_at - interval '61 minutes',
    expires_at = expires_at - interval '61 minutes', auth_time = auth_time - interval '61 minutes'; ALTER TABLE gatehouse.restore_requests ENABLE TRIGGER USER`);
  await opened('backend_lead');
  assert.deepEqual(await page.locator('[data-request]').evaluateAll((list) => list.map((one) => one.dataset.state)), ['expired', 'withdrawn']);
  assert.equal(await page.locator('main [data-action="agree"], main [data-action="restore"], main [data-action="withdraw"]').count(), 0);
});

step('two people agree, and the warehouse is put back while others watch', async () => {
  await ask();
  await opened('backend_lead');
  await shot(page, 'restore-asked');
  await page.locator('[data-request] [name="database"]').fill(database);
  await press(page, 'agree');
  await at(page, 'backup_restore');
  assert.equal(await request().getAttribute('data-state'), 'agreed');
  assert.equal(await page.locator('main [data-action="restore"]').count(), 0, 'a lead who may not take back is offered to restore');
  await opened('devops_engineer');
  assert.ok((await request().innerText()).includes(`gatehouse backup restore --request ${await request().getAttribute('data-request')} --confirm ${database}`), 'the command with which the same is done is not told');
  await page.locator('[data-request] [name="database"]').fill(database);
  await press(page, 'restore');
  await at(page, 'operation_show');
  await crew.watch(page, 'operation_show', ['devops_lead']);
  await shot(page, 'restore-done');
  await page.goto(base + backup);
  assert.equal(await request().getAttribute('data-state'), 'restored');
});

step('ladder, ledger, release, backups and audit tell of it', async () => {
  const viewer = await crew.as('viewer');
  await viewer.goto(`${base}/migrations`);
  assert.deepEqual(await viewer.locator('[data-row][data-version]').evaluateAll((list) => list.filter((one) => one.dataset.version > 'V0.0.18').map((one) => one.dataset.state)), ['undone', 'undone', 'undone']);
  const rows = await viewer.locator('[data-ledger]').evaluateAll((list) => list.slice(0, 3).map((row) => row.innerText.replaceAll(/\s+/g, ' ')));
  for (const row of rows) assert.match(row, /V0\.0\.2\d .*restore/i);
  await viewer.goto(`${base}/migrations/backups`);
  assert.equal(await viewer.locator('[data-safety]').count(), 1);
  const lead = await crew.as('devops_lead');
  for (const [act, outcome] of [['restore:ask', 'done'], ['restore:withdraw', 'done'], ['restore:agree', 'done'], ['backup:keep', 'done'], ['backup:register', 'done'], ['backup:attest', 'done']]) {
    await lead.goto(`${base}/audit?action=${act}`);
    assert.ok(await lead.locator(`[data-act="${act}"][data-state="${outcome}"]`).count(), `the trail has no ${act}`);
  }
});

step('the other company sees neither a backup nor a restore', async () => {
  const stranger = await theirs.as('devops_lead');
  for (const path of ['/migrations', '/migrations/backups', externals, '/audit']) {
    await stranger.goto(base + path);
    assert.doesNotMatch(await stranger.locator('body').innerText(), /@rivermark|snap-0042|night\.dump|spoilt/, path);
    assert.equal(await stranger.locator('main [data-external], main [data-backup], main a[href$="/restore"]').count(), 0, path);
  }
  for (const path of [external, backup]) assert.ok([403, 404].includes((await stranger.goto(base + path)).status()), path);
});
