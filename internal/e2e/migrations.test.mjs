// The warehouse's schema through all that may befall it: rehearse, back up, drill, sign, apply, break, repair, down, up.
import { test, before, after } from 'node:test';
import { at, assert, base, byHand, Crew, launch, press, shot, story } from './lib.mjs';

const step = story(test);

let browser;
let crew;
let theirs; // another company's people
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
  theirs = new Crew(browser, 'saltway');
});
after(async () => { await browser?.close(); });

// ofFile does by hand what a migration's file says.
async function ofFile(version) {
  const page = await crew.as('devops_lead');
  await page.goto(`${base}/migrations/${version}`);
  await byHand(`SET ROLE gatehouse_owner; ${await page.locator('section[aria-labelledby="sql"] ol').first().evaluate(textOf)}; RESET ROLE`);
}

const textOf = (listing) => [...listing.children].map((line) => line.textContent).join('\n');

// rung is how a version stands on the ladder, as somebody sees it.
async function rung(role, version, people = crew) {
  const page = await people.as(role);
  await page.goto(`${base}/migrations`);
  await at(page, 'migration_list');
  return page.locator(`[data-row][data-version="${version}"]`);
}

async function stands(version, want) {
  assert.equal(await (await rung('viewer', version)).getAttribute('data-state'), want, version);
}

// offersNothing says that neither the ladder nor the version's page has a button that applies it.
async function offersNothing(version) {
  const page = await crew.as('devops_engineer');
  for (const path of ['/migrations', `/migrations/${version}`]) {
    await page.goto(base + path);
    assert.equal(await page.locator(`form[action="/migrations/${version}/apply"]`).count(), 0, `${path} offers to apply ${version}`);
  }
}

// ended waits until the operation of the page has succeeded.
async function ended(page) {
  await at(page, 'operation_show');
  await crew.watch(page, 'operation_show');
}

step('the release starts, pressed twice', async () => {
  await crew.start('devops_engineer');
  const page = await crew.as('viewer');
  await page.goto(`${base}/releases`);
  assert.equal(await page.locator('[data-row]').count(), 1);
});

step('where no backup restores yet the migrations are rehearsed on a sample, which opens no gate', async () => {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/migrations`);
  assert.match(await page.locator('[data-sample]').innerText(), /No backup has been restored here yet/);
  await press(page, 'rehearse-sample');
  await ended(page);
  await press(page, 'next-step');
  await at(page, 'rehearsal_show');
  assert.match(await page.locator('main').innerText(), /sample/);
  assert.match(await (await rung('viewer', 'V0.0.20')).innerText(), /on a sample of/);
  await page.goto(`${base}/migrations`);
  assert.match(await page.locator('[data-next]').innerText(), /rehears/);
  await offersNothing('V0.0.20');
  const stranger = await theirs.as('devops_lead');
  await stranger.goto(`${base}/migrations`);
  assert.equal(await stranger.locator('[data-sample]').count(), 0, 'another company is offered it');
});

step('a backup is taken and restored once, while two people watch', async () => {
  const page = await crew.order('devops_engineer', 'main [data-action="take-backup"]', 'devops_lead', 'qa_lead');
  const path = new URL(page.url()).pathname;
  await page.goto(`${base}/migrations/backups`);
  assert.equal(await page.locator('[data-row][data-backup] [data-state="proven"]').count(), 1);
  const stranger = await theirs.as('devops_lead');
  assert.ok([403, 404].includes((await stranger.goto(base + path)).status()), 'another company watches');
});

step('the migrations are rehearsed on it, statement by statement', async () => {
  const page = await crew.order('devops_engineer', 'main form[action$="/rehearse"] button', 'devops_lead');
  await press(page, 'next-step');
  await at(page, 'rehearsal_show');
  for (const version of ['V0.0.20', 'V0.0.21', 'V0.0.22']) assert.match(await page.locator('main').innerText(), new RegExp(version));
  assert.match(await (await rung('viewer', 'V0.0.20')).innerText(), /, rehearsed/);
  await offersNothing('V0.0.20');
});

step('the checklist and the validation are worked through, and four people sign go / no-go', async () => {
  await crew.workPhases('checklist', 'validation');
  await crew.signByFour('go_no_go');
  for (const name of ['backend', 'qa', 'statistics', 'devops']) assert.equal(await crew.slot('go_no_go', name), 'valid', name);
});

step('V0.0.20 is applied, while two people watch', async () => {
  await crew.fresh('devops_engineer', '/migrations', 'migration_list');
  await crew.workOne('P2.1a');
  await crew.apply('devops_engineer', 'V0.0.20', { watchers: ['devops_lead', 'backend_lead'] });
  await stands('V0.0.20', 'applied');
});

step('somebody makes V0.0.22 by hand: the ladder says so, and offers no apply of it', async () => {
  await ofFile('V0.0.22');
  await byHand(`INSERT INTO public.bin_optimization_statistical_metrics (tenant_id, facility_id, measurement_period_start, measurement_period_end, avg_volume_utilization, avg_weight_utilization, sample_size)
    SELECT tenant_id, facility_id, now() - interval '1 day', now(), 60, 50, 30 FROM public.facilities`);
  await stands('V0.0.22', 'hand_made');
  const row = await rung('devops_engineer', 'V0.0.22');
  assert.match(await row.locator('[data-differs]').innerText(), /table public\.bin_optimization_statistical_metrics.*by hand/s);
  await shot(await crew.as('devops_engineer'), 'migrations-hand-made');
  await offersNothing('V0.0.22');
});

step('V0.0.21 is refused on top of it, in Gatehouse\'s own words', async () => {
  const page = await crew.apply('devops_engineer', 'V0.0.21', { ends: 'failed' });
  const said = await page.locator('main').innerText();
  assert.match(said, /Gatehouse refused the step/);
  assert.match(said, /bin_optimization_statistical_metrics/);
  assert.doesNotMatch(said, /PostgreSQL said|rolled back/);
  await shot(page, 'run-refused');
  await press(page, 'way');
  await at(page, 'drift');
  await stands('V0.0.21', 'pending');
});

step('it is looked at, and only what is proven is offered', async () => {
  const row = await rung('devops_engineer', 'V0.0.22');
  const page = await crew.as('devops_engineer');
  await Promise.all([page.waitForNavigation(), row.locator('[data-action="repair"]').click()]);
  await at(page, 'migration_repair');
  await press(page, 'probe');
  await at(page, 'migration_repair');
  assert.deepEqual(await page.locator('input[name="as"]').evaluateAll((list) => list.map((one) => one.value)), ['undo']);
  await shot(page, 'repair');
  // What is not offered is not had past the button either.
  const hidden = (name) => page.locator(`form[action$="/repair"] input[name="${name}"]`).inputValue();
  const answer = await page.request.post(page.url(), {
    form: { key: await hidden('key'), seen: await hidden('seen'), as: 'applied', reason: 'It is there.', confirm: 'V0.0.22' }, headers: { Origin: base, 'Sec-Fetch-Site': 'same-origin' },
  });
  assert.equal(answer.status(), 409, await answer.text());
});

step('what is there is counted and saved, and taken back', async () => {
  const page = await crew.as('devops_engineer');
  await press(page, 'save-losses');
  await ended(page);
  await page.goto(`${base}/migrations/V0.0.22/repair`);
  assert.match(await page.locator('[data-saved]').innerText(), /throws away \d+ rows and values, saved at/);
  await page.locator('input[name="as"][value="undo"]').check();
  await page.locator('[name="reason"]').fill('Somebody ran the file by hand.');
  await page.locator('[name="confirm"]').fill('V0.0.22');
  await press(page, 'repair');
  await ended(page);
  await page.goto(`${base}/migrations/V0.0.22/repair`);
  assert.match(await page.locator('[data-sentence]').innerText(), /since somebody last looked/);
  assert.equal(await page.locator('input[name="as"]').count(), 0);
  await stands('V0.0.22', 'undone');
});

for (const version of ['V0.0.21', 'V0.0.22']) {
  step(`${version} is applied in its turn`, async () => {
    await crew.apply('devops_engineer', version, { watchers: ['devops_lead'] });
    await stands(version, 'applied');
  });
}

step('an index that is not valid is named, and built again by its button', async () => {
  const index = 'public.idx_outliers_severity';
  await byHand(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${index}'::regclass`);
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/migrations`);
  await page.locator(`[data-invalid-index="${index}"]`).waitFor();
  await press(page, 'rebuild-index');
  await ended(page);
  await page.goto(`${base}/migrations`);
  await at(page, 'migration_list');
  assert.equal(await page.locator('[data-invalid-index]').count(), 0);
});

// takeBack counts and saves on the page Undo, and takes V0.0.22 back.
async function takeBack(reason) {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/migrations/V0.0.22/down`);
  await at(page, 'migration_down');
  await press(page, 'save-losses');
  await ended(page);
  await page.goto(`${base}/migrations/V0.0.22/down`);
  await page.locator('[name="reason"]').fill(reason);
  await page.locator('[name="confirm"]').fill('V0.0.22');
  return page;
}

step('V0.0.22 goes down: its rows are counted, saved, linked and signed for', async () => {
  await byHand(`INSERT INTO public.bin_optimization_statistical_metrics (tenant_id, facility_id, measurement_period_start, measurement_period_end, avg_volume_utilization, avg_weight_utilization, sample_size)
    SELECT tenant_id, facility_id, now() - interval '1 day', now(), 60, 50, 30 FROM public.facilities`);
  const page = await takeBack('It was the wrong day.');
  assert.match(await page.locator('[data-counted]').innerText(), /rows of public\.bin_optimization_statistical_metrics\s+[1-9]/);
  assert.match(await page.locator('[data-files]').innerText(), /undo_v0\.0\.22_\w+\.dump/);
  assert.match(await page.locator('[data-signs]').innerText(), /You sign:\s+Undoing V0\.0\.22 throws away [1-9]\d* rows and values/);
  await shot(page, 'undo');
  await press(page, 'down');
  await at(page, 'migration_run');
  await crew.watch(page, 'migration_run', ['devops_lead']);
  await stands('V0.0.22', 'undone');
});

step('and up again; what was saved before speaks for no other undo', async () => {
  const page = await crew.apply('devops_engineer', 'V0.0.22');
  await stands('V0.0.22', 'applied');
  await page.goto(`${base}/migrations/V0.0.22/down`);
  assert.match(await page.locator('[data-saved]').innerText(), /before V0\.0\.22 was applied again/);
  assert.equal(await page.locator('main [data-action="down"]').count(), 0);
});

step('the ledger tells all of it', async () => {
  const page = await crew.as('viewer');
  await page.goto(`${base}/migrations`);
  const rows = await page.locator('[data-ledger]').evaluateAll((list) => list.map((row) => ({ text: row.innerText.replaceAll(/\s+/g, ' '), state: row.dataset.state })));
  const told = rows.map(({ text }) => text.match(/(V0\.0\.2\d) (up|down)/)?.slice(1).join(' ') + (/repair: its undo file was run/.test(text) ? ', repair' : '')).slice(0, 6);
  assert.deepEqual(told, ['V0.0.22 up', 'V0.0.22 down', 'V0.0.22 up', 'V0.0.21 up', 'V0.0.22 down, repair', 'V0.0.20 up']);
  assert.ok(rows.every((row) => row.state === 'done'), 'nothing in it is called failed');
  await page.goto(`${base}/migrations/V0.0.22`);
  const details = page.locator('[data-ledger] details').nth(1);
  await details.locator('summary').click();
  assert.match(await details.innerText(), /throws away [1-9]\d* rows and values, saved at/);
});

step('the other company sees no act of it, and is led to no repair and no undo', async () => {
  const page = await theirs.as('devops_lead');
  for (const path of ['/migrations', '/migrations/V0.0.22', '/migrations/V0.0.20']) {
    await page.goto(base + path);
    assert.doesNotMatch(await page.locator('body').innerText(), /@rivermark|wrong day|by hand/, path);
    assert.equal(await page.locator('main a[href$="/repair"], main a[href$="/down"], main form[method="post"]').count(), 0, `${path} leads to an act`);
  }
  for (const path of ['/migrations/V0.0.22/repair', '/migrations/drift']) {
    assert.equal((await page.goto(base + path)).status(), 403, path);
  }
  const run = await (await crew.as('viewer')).locator('[data-ledger] a[href^="/migration-runs/"]').first().getAttribute('href');
  assert.equal((await page.goto(base + run)).status(), 404, run);
});
