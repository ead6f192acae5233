// What every browser test needs: a browser, people, and words for what people do. Things are found by data-* and role,
// never by class; nothing sleeps.
import { chromium } from 'playwright-core';
import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import assert from 'node:assert/strict';

export const base = process.env.GATEHOUSE_URL;
export const release = 'REQ-STRATEGIC-AUTO-1766545799451';

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// person signs in as somebody of the demo and gives their page. Every person has a browser profile of their own.
export async function person(browser, username, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => { throw new Error(`script error on ${page.url()}: ${error.message}`); });
  await page.goto(`${base}/login?return=/releases`);
  await authenticate(page, username);
  await at(page, 'release_list');
  return page;
}

// authenticate types name and password at the provider, wherever a link has led to it.
export async function authenticate(page, username) {
  const form = page.locator('form[data-form="typed"]');
  await form.locator('[name="username"]').fill(username);
  await form.locator('[name="password"]').fill('demo');
  await form.locator('[data-action="sign-in"]').click();
}

// at waits until the page is the one of that name, complete.
export async function at(page, name) {
  await page.locator(`main[data-page="${name}"]`).waitFor();
}

export async function is(page, name) {
  return (await page.locator('main').getAttribute('data-page')) === name;
}

// press does the act of that name, waits for the page it leads to, and gives the answer.
export async function press(page, action, scope = 'main') {
  const button = page.locator(`${scope} [data-action="${action}"]`).first();
  const [answer] = await Promise.all([page.waitForNavigation(), button.click()]);
  return answer;
}

// unfold opens the part of a page that holds something.
export async function unfold(page, holds) {
  const part = page.locator(`main details:has(${holds})`).last();
  if (!(await part.evaluate((details) => details.open))) await part.locator('> summary').click();
}

// aged lets people sign in for whom the provider says that they proved who they are an hour ago, so that what follows needs
// them to do it again.
export const aged = (work) => provider('old', work);

// away lets nobody reach the provider meanwhile.
export const away = (work) => provider('away', work);

async function provider(word, work) {
  const behave = async (body) => assert.equal((await fetch(process.env.AGED, { method: 'POST', body })).status, 200);
  await behave(word);
  try {
    return await work();
  } finally {
    await behave('');
  }
}

// dossier takes the dossier of the release that a page shows, and gives the text of one of its files.
export async function dossier(page, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-action="dossier"]').click()]);
  const zip = await readFile(await download.path());
  for (let at = zip.readUInt32LE(zip.length - 6); zip.readUInt32LE(at) === 0x02014b50;) {
    const length = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    if (zip.toString('utf8', at + 46, at + 46 + length).endsWith(name)) {
      const begin = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const packed = zip.subarray(begin, begin + zip.readUInt32LE(at + 20));
      return (zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed)).toString('utf8');
    }
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  assert.fail(`the dossier holds no ${name}`);
}

let axeSource;

// findings are what axe finds on a page.
export async function findings(page) {
  axeSource ??= await readFile(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  await page.evaluate(`${axeSource}; undefined`);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }));
  return found.violations.map((v) => `${v.id}, ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].target}`);
}

export async function state(page, selector) {
  return page.locator(selector).first().getAttribute('data-state');
}

// story runs steps that build on each other: after one that failed, the others say so and do nothing.
export function story(test) {
  let broken = '';
  return (name, work) => test(name, async () => {
    assert.equal(broken, '', 'an earlier step failed');
    try {
      await work();
    } catch (error) {
      broken = name;
      throw error;
    }
  });
}

// numbers are the evidence of items that want one; every other takes 0.5.
const numbers = { 'PRE-P4': '9.5', 'P3.1d': '3', 'H24-3': '0' };

// byHand does to the database what somebody does past Gatehouse.
export async function byHand(sql) {
  const answer = await fetch(process.env.HANDS, { method: 'POST', body: sql });
  assert.equal(answer.status, 200, `${sql}: ${await answer.text()}`);
}

// Crew are the people of one company at work on one release, each signed in when they are first needed.
export class Crew {
  constructor(browser, company = 'rivermark', options = {}) {
    Object.assign(this, { browser, company, options, people: new Map(), home: undefined });
  }

  username(role) { return `${role.replaceAll('_', '.')}@${this.company}`; }

  // as gives the page of the person who holds a role.
  async as(role) {
    if (!this.people.has(role)) this.people.set(role, await person(this.browser, this.username(role), this.options));
    return this.people.get(role);
  }

  // fresh signs somebody in anew where what follows asks for a sign-in that is no older than ten minutes.
  async fresh(role, path, name) {
    const page = await this.as(role);
    await page.goto(`${base}/login?fresh=1&return=${path}`);
    await authenticate(page, this.username(role));
    await at(page, name);
    return page;
  }

  // start begins the release with a double press: it starts once, and the second press meets nothing that leads away. Its
  // last hour is over, so that what claims an hour can be said in one sitting.
  async start(role) {
    const page = await this.as(role);
    await page.goto(`${base}/releases/new`);
    await at(page, 'release_start');
    assert.equal(await page.locator('[name="code"]').inputValue(), release);
    await page.locator('[name="zone"]').selectOption('UTC');
    await page.locator('[name="t_zero"]').fill(new Date(Date.now() - 65 * 60_000).toISOString().slice(0, 16));
    await Promise.all([page.waitForNavigation(), page.locator('main [data-action="start"]').dblclick()]);
    await at(page, 'release_show');
    this.home = page.url();
    assert.match(await page.locator('main').innerText(), new RegExp(release));
  }

  // resume takes up the newest release of the list.
  async resume(role) {
    const page = await this.as(role);
    await page.goto(`${base}/releases`);
    this.home = base + await page.locator('[data-row] a').first().getAttribute('href');
  }

  // rows reads the items of the release's page: id, address, owner's role.
  async rows(role, within = '') {
    const page = await this.as(role);
    await page.goto(this.home);
    await at(page, 'release_show');
    return page.locator(`${within} [data-rows] [data-item]`).evaluateAll((list) => list.map((row) => ({
      item: row.dataset.item,
      href: row.querySelector('a').getAttribute('href'),
      owner: row.querySelector('td').textContent.trim().toLowerCase().replaceAll(/[ -]/g, '_'),
    })));
  }

  // work finishes an item by whoever owns it: an automatic one by its check, any other by evidence.
  async work({ item, href, owner }) {
    const page = await this.as(owner);
    await page.goto(base + href);
    await at(page, 'item_show');
    if (await state(page, '[data-item]') === 'done') return;
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
      const file = form.locator('[name="evidence_file"]');
      if (await file.count()) await file.setInputFiles({ name: `${item}.txt`, mimeType: 'text/plain', buffer: Buffer.from(`The report of ${item}.`) });
      await press(page, 'done');
    }
    assert.equal(await state(page, '[data-item]'), 'done', `${item}: ${await page.locator('main').innerText()}`);
  }

  // workOne finishes the item of that name.
  async workOne(item) {
    await this.work((await this.rows('devops_engineer')).find((row) => row.item === item));
  }

  async workPhases(...wanted) {
    for (const phase of wanted) {
      const items = await this.rows('devops_engineer', `[data-phase="${phase}"]`);
      assert.ok(items.length > 0, `phase ${phase} has items`);
      for (const item of items) await this.work(item);
    }
  }

  // sign signs in anew, because the minutes that a sign-in is good for may run out between reading and pressing, and
  // signs the gate in the person's slot.
  async sign(gate, role, { score } = {}) {
    const page = await this.fresh(role, new URL(`${this.home}/gates/${gate}`, base).pathname, 'gate_show');
    const meaning = page.locator('select[name="meaning"]');
    if (await meaning.count()) await meaning.selectOption({ index: (await meaning.locator('option').count()) - 1 });
    if (score) await page.locator('[name="score"]').fill(score);
    await shot(page, `sign-${gate}`);
    await press(page, 'sign');
    await at(page, 'gate_show');
  }

  // signByFour is what go / no-go and the final gate ask for: four people, DevOps last.
  async signByFour(gate) {
    for (const [role, options] of [['backend_lead', {}], ['qa_lead', { score: '9.5' }], ['statistical_expert', {}], ['devops_lead', {}]]) await this.sign(gate, role, options);
  }

  // slot is how a slot of a gate stands, as anybody sees it.
  async slot(gate, name) {
    const page = await this.as('viewer');
    await page.goto(this.home);
    return state(page, `[data-gate="${gate}"] [data-slot="${name}"]`);
  }

  // order presses a button of the page of backups and waits until what it ordered has succeeded, watched by others as well.
  async order(role, selector, ...watchers) {
    for (const other of watchers) await this.as(other); // so that they come while it is under way
    const page = await this.as(role);
    await page.goto(`${base}/migrations/backups`);
    await at(page, 'backup_list');
    await page.locator(selector).click();
    await at(page, 'operation_show');
    await this.watch(page, 'operation_show', watchers);
    return page;
  }

  // apply presses the button of a version and waits until its run has ended so, watched by others as well.
  async apply(role, version, { ends = 'succeeded', watchers = [] } = {}) {
    const page = await this.as(role);
    await page.goto(`${base}/migrations/${version}`);
    await at(page, 'migration_show');
    await shot(page, `migration-${version}`);
    await press(page, 'apply');
    await at(page, 'migration_run');
    await this.watch(page, 'migration_run', watchers, ends);
    await shot(page, `run-${version}`);
    return page;
  }

  // watch waits, on a page and on those of everybody who looks at it too, for what the page itself says when it has ended;
  // nobody reloads. All of them have the same log.
  async watch(page, name, watchers = [], ends = 'succeeded') {
    const pages = [page];
    for (const role of watchers) {
      const other = await this.as(role);
      await other.goto(page.url());
      await at(other, name);
      pages.push(other);
    }
    await Promise.all(pages.map((one) => one.locator(`[data-live-region="state"][data-state="${ends}"]`).waitFor({ timeout: 120_000 })));
    const lines = await Promise.all(pages.map((one) => one.locator('[data-live-log] [data-seq] span').allInnerTexts()));
    for (const other of lines.slice(1)) assert.deepEqual(other, lines[0], `the log of ${page.url()} is another for somebody else`);
  }
}

// shot takes a picture where pictures are wanted.
export async function shot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: false });
}

export { assert };
