// Go / no-go without the people and the provider that it was meant for: a deputy signs in a lead's place, and somebody signs by
// break-glass while the provider answers nobody. It goes on with the release that the walk without script has left.
import { test, before, after } from 'node:test';
import { readFile } from 'node:fs/promises';
import { aged, assert, at, away, base, Crew, dossier, findings, launch, press, state, story, unfold } from './lib.mjs';

const step = story(test);

let browser;
let crew;
let gate; // its path
let signature; // the address of what was signed by break-glass
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
  await crew.resume('devops_engineer');
  gate = `${new URL(crew.home).pathname}/gates/go_no_go`;
});
after(async () => { await browser?.close(); });

const words = (page) => page.locator('main').innerText();

// halves of the code that the environment names.
const halves = (name) => Promise.all(process.env[name].split(':').map(async (file) => (await readFile(file, 'utf8')).trim()));

// withdrawn takes somebody's own signature back.
async function withdrawn(role) {
  const page = await crew.as(role);
  await page.goto(base + gate);
  await unfold(page, '[data-action="withdraw"]');
  await page.locator('[name="reason"]').fill('Somebody else signs this time.');
  await press(page, 'withdraw');
}

step('who may not name a deputy reads why, and who can', async () => {
  const page = await crew.as('viewer');
  await page.goto(`${base}/releases`);
  await page.locator('[data-nav-deputies]').click();
  await at(page, 'deputies');
  assert.equal(await page.locator('[data-action="name"]').count(), 0);
  assert.match(await page.locator('#name').innerText(), /somebody who holds the role[\s\S]*QA lead/);
});

step('the QA lead names a deputy; what lacks is said, and the line stands in the roster', async () => {
  await crew.as('product_owner'); // a deputy has signed in here before
  const page = await crew.fresh('qa_lead', '/deputies', 'deputies');
  await page.locator('[name="reason"]').fill('On the road without a telephone.');
  assert.equal((await press(page, 'name')).status(), 422);
  assert.equal(await page.locator('[name="reason"]').inputValue(), 'On the road without a telephone.');
  await page.locator('[name="person"]').selectOption({ label: 'Paula Renn (Product owner)' });
  await press(page, 'name');
  assert.match(await page.locator('[data-deputy][data-state="in_force"]').innerText(), /Paula Renn, deputy of the QA lead[\s\S]*without a telephone/);
});

step('the deputy could fill two places, chooses the other\'s, keeps it when the page changes by itself, and signs', async () => {
  await withdrawn('qa_lead');
  const page = await crew.fresh('product_owner', '/waiting', 'waiting_list');
  await page.locator('[data-kind="gate"]', { hasText: 'deputy of the QA lead' }).locator('a').first().click();
  await at(page, 'gate_show');
  assert.equal(await page.locator('form [name="role"][value="qa"]').count(), 1, 'what waits leads to another place');
  await page.goto(base + gate);
  await page.locator('[data-action="other-place"]').click();
  await at(page, 'gate_show');
  assert.match(await page.locator('#sign [data-as-deputy]').innerText(), /deputy[\s\S]*Quinn Harper named you/);
  await withdrawn('statistical_expert'); // the page of the deputy hears of it
  await page.locator('[data-slot="statistics"][data-state="withdrawn"]').waitFor();
  assert.equal(await page.locator('form [name="role"][value="qa"]').count(), 1, 'the form is of another place by now');
  await page.locator('[name="meaning"]').selectOption('approved');
  await page.locator('[name="score"]').fill('9.5');
  await press(page, 'sign');
  assert.equal(await crew.slot('go_no_go', 'qa'), 'valid');
  assert.match(await page.locator('[data-signature]', { hasText: 'Paula Renn' }).innerText(), /As a deputy of the QA lead, named by Quinn Harper/);
  assert.match(await page.locator('#sign').innerText(), /signed this gate already as deputy of the QA lead/);
});

step('as long as the provider answers nothing is signed by break-glass', async () => {
  await crew.people.get('statistical_expert').context().close();
  crew.people.delete('statistical_expert');
  const page = await aged(() => crew.as('statistical_expert'));
  await page.goto(base + gate);
  await press(page, 'break-glass');
  await press(page, 'meet');
  assert.match(await page.locator('[data-answers]').innerText(), /answers/);
  assert.equal(await page.locator('[name="first"]').count(), 0);
});

step('the provider is away: a fresh sign-in leads to break-glass, and both halves of one code sign', async () => {
  const page = await crew.as('statistical_expert');
  await crew.as('devops_lead');
  const [[one, two], [, strange]] = await Promise.all([halves('ONE'), halves('OTHER')]);
  await away(async () => {
    await page.goto(base + gate);
    assert.equal((await press(page, 'fresh')).status(), 503);
    await page.getByRole('link', { name: 'Sign by break-glass instead' }).click();
    await at(page, 'break_glass');
    await press(page, 'meet');
    assert.deepEqual(await findings(page), []);
    await page.locator('[name="meaning"]').selectOption('approved');
    await page.locator('[name="note"]').fill('The window closes at midnight.');
    await page.locator('[name="first"]').fill(one);
    await page.locator('[name="second"]').fill(strange);
    assert.equal((await press(page, 'sign')).status(), 403);
    assert.match(await page.locator('[data-complaints]').innerText(), /fit no code/);
    assert.equal(await page.locator('[name="note"]').inputValue(), 'The window closes at midnight.');
    assert.equal(await page.locator('[name="first"]').inputValue() + await page.locator('[name="second"]').inputValue(), '');
    await page.locator('[name="first"]').fill(two.toLowerCase()); // whichever comes first, as people type
    await page.locator('[name="second"]').fill(one);
    await press(page, 'sign');
    await at(page, 'signature_show');
    signature = page.url();
    assert.match(await page.locator('[data-review]').innerText(), /your own signature/);
    await page.goto(`${base}${gate}/break-glass`);
    assert.match(await words(page), /already|signed/);
  });
});

step('it is marked at the gate, in the report and in the dossier', async () => {
  const lead = await crew.fresh('devops_lead', gate, 'gate_show');
  const mark = /Signed by break-glass: not proven by a fresh sign-in\. Review due by/;
  assert.match(await lead.locator('[data-slot="statistics"] [data-glass]').innerText(), mark);
  assert.equal(await state(lead, '[data-slot="statistics"]'), 'valid');
  await lead.goto(`${crew.home}/report`);
  assert.match(await lead.locator('[data-findings]').innerText(), /Stella Voss signed Go \/ no-go as Statistical expert by break-glass, and nobody has reviewed that yet/);
  await lead.emulateMedia({ media: 'print' });
  assert.match(await lead.locator('[data-kind="signature"] [data-identity]:visible').first().innerText(), /^Subject \S+ at http/);
  await lead.emulateMedia({ media: 'screen' });
  const auditor = await crew.as('auditor');
  await auditor.goto(crew.home);
  const text = await dossier(auditor, 'dossier.html');
  assert.match(text, /Signed by break-glass: not proven by a fresh sign-in\.[\s\S]*Review due by/);
});

step('another person reviews it, from what waits for them', async () => {
  const page = await crew.as('devops_lead');
  await page.goto(`${base}/waiting`);
  await page.locator('[data-kind="review"] a').first().click();
  await at(page, 'signature_show');
  assert.equal(page.url(), signature);
  assert.equal((await press(page, 'review')).status(), 422, 'a verdict is chosen, not taken for granted');
  await page.locator('[name="verdict"][value="upheld"]').check();
  await press(page, 'review');
  assert.match(await page.locator('[data-glass]').first().innerText(), /Review: upheld by Dana Okafor/);
  assert.equal(await page.locator('[data-action="review"]').count(), 0);
  assert.deepEqual(await findings(page), []);
});
