// Every page of a release, filled by the two that were at work last and empty as a second company has it: no accessibility finding in
// either theme, nothing wider than the screen, nothing too small for a thumb, readable at twice the size and on paper, and the
// same content without script.
import { test, before, after } from 'node:test';
import { at, assert, base, findings, launch, person } from './lib.mjs';

let browser;
let places; // by who looks: name and path of each page
before(async () => {
  browser = await launch();
  const page = await person(browser, 'devops.lead@rivermark');
  const releases = await page.locator('[data-row] a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  const [release, signed] = releases; // the newest, and the one before it
  const found = {};
  for (const [name, path, selector] of [
    ['run', '/migrations', 'a[href^="/migration-runs/"]'],
    ['operation', '/migrations/backups', 'a[href^="/operations/"]'],
    ['restore', '/migrations/backups', 'a[href$="/restore"]'],
    ['signature', `${signed}/gates/go_no_go`, 'a[href^="/signatures/"]'],
  ]) {
    await page.goto(base + path);
    const link = page.locator(`main ${selector}`).first();
    if (await link.count()) found[name] = await link.getAttribute('href');
  }
  await page.context().close();
  places = {
    'devops.lead@rivermark': {
      releases: '/releases', filtered: '/releases?state=aborted', start: '/releases/new', release, runbook: `${release}/runbook`, runbooks: '/runbooks',
      text: `${release}/items/PRE-C2`, number: `${release}/items/PRE-P4`, link: `${release}/items/PRE-I2`, statement: `${release}/items/RD-DB`,
      file: `${release}/items/H48-1`, auto: `${release}/items/P4.1`, comments: `${release}/items/PRE-P7`, gate: `${release}/gates/go_no_go`, final: `${release}/gates/final`,
      rollback: `${release}/rollback`, snapshots: `${release}/snapshots`, report: `${release}/report`, wall: `${release}/wall`, window: `${release}/window`,
      deputies: '/deputies', 'taken-back': `${signed}/rollback`, 'report-of-it': `${signed}/report`, waiting: '/waiting', notices: '/notices', migrations: '/migrations', migration: '/migrations/V0.0.20', undo: '/migrations/V0.0.22/down',
      repair: '/migrations/V0.0.22/repair', rehearsals: '/migrations/rehearsals', backups: '/migrations/backups', external: '/migrations/backups/external',
      drift: '/migrations/drift', health: '/health-checks', me: '/me', missing: '/releases/no-such-thing', ...found,
    },
    'auditor@rivermark': { audit: '/audit', nothing: '/audit?person=nobody', reading: release, refused: '/settings/claims' },
    'admin@rivermark': { claims: '/settings/claims' },
    'devops.lead@saltway': { releases: '/releases', start: '/releases/new', waiting: '/waiting', notices: '/notices', runbooks: '/runbooks', migrations: '/migrations', health: '/health-checks', me: '/me' },
    'auditor@saltway': { audit: '/audit' },
    '': { door: '/releases', wayback: '/way-back', out: '/signed-out' },
  };
});
after(async () => { await browser?.close(); });

async function visitor(username, options) {
  if (username) return person(browser, username, options);
  return (await browser.newContext(options)).newPage();
}

// everywhere opens each page in turn, and says of all of them what a look finds.
async function everywhere(look, options) {
  const wrong = [];
  for (const [username, paths] of Object.entries(places)) {
    const page = await visitor(username, options);
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(base + path);
      await page.locator('main[data-ready]').waitFor();
      for (const said of await look(page, `${username} ${name}`)) wrong.push(`${username} ${name} (${path}): ${said}`);
    }
    await page.context().close();
  }
  assert.deepEqual(wrong, []);
}

// wide is what is wider than the screen.
const wide = (page) => page.evaluate(() => {
  const room = document.documentElement.clientWidth;
  const whole = document.documentElement.scrollWidth;
  if (whole <= room) return [];
  const culprit = [...document.querySelectorAll('main *')].find((one) => one.getBoundingClientRect().right > room + 1);
  return [`${whole} px wide on a screen of ${room}: ${culprit?.outerHTML.slice(0, 120)}`];
});

// small is what is pressed or filled in, and is not as high as a thumb wants it. A link inside a sentence is as high as its line.
const small = (page) => page.evaluate(() => [...document.querySelectorAll('button, .button, summary, select, textarea, label.option, .places a, .filters a, input:not([type="hidden"], [type="radio"], [type="checkbox"])')]
  .filter((one) => one.checkVisibility({ checkVisibilityCSS: true }) && !one.closest('dialog:not([open])'))
  .map((one) => [one, Math.round(one.getBoundingClientRect().height)])
  .filter(([, height]) => height > 0 && height < 44)
  .map(([one, height]) => `${height} px high: ${one.outerHTML.slice(0, 100)}`));

// targets are what the bar at the bottom holds: no more than a thumb tells apart.
const targets = (page) => page.evaluate(() => {
  const bar = [...document.querySelectorAll('.rail .places a, .rail .who > summary')].filter((one) => one.checkVisibility());
  return bar.length > 4 ? [`${bar.length} targets in the bar`] : [];
});

async function themes(page, ...schemes) {
  const all = [];
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    all.push(...(await findings(page)).map((one) => `${colorScheme}: ${one}`));
  }
  return all;
}

// text is read as somebody does who has set the size of text in the browser.
async function text(page, times) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Page.setFontSizes', { fontSizes: { standard: 16 * times, fixed: 13 * times } });
  await devtools.detach();
}

async function picture(page, name, width) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${process.env.EVERY_SCREENSHOT}/${name.replaceAll(/\W+/g, '-')}-${width}-${colorScheme}.png` });
  }
}

test('axe finds nothing in either theme, nothing is wider than the screen, and what is pressed is as large as a thumb', async () => {
  await everywhere(async (page, name) => {
    const all = [];
    for (const width of [1440, 820, 390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      all.push(...await wide(page));
      if (width === 1440) all.push(...await themes(page, 'light', 'dark'));
      if (width === 390) all.push(...await themes(page, 'light'), ...await small(page), ...await targets(page)); // the colours are those of the desk
      if (process.env.EVERY_SCREENSHOT && (width === 1440 || width === 390)) await picture(page, name, width);
    }
    await page.setViewportSize({ width: 820, height: 844 });
    await text(page, 2);
    all.push(...(await wide(page)).map((one) => `at twice the size: ${one}`));
    await text(page, 1);
    return all;
  }, { viewport: { width: 1440, height: 844 } });
});

test('everything is there without script', async () => {
  await everywhere(async (page) => ((await page.locator('main').innerText()).length > 40 ? [] : ['is blank']), { javaScriptEnabled: false });
  const page = await person(browser, 'qa.lead@rivermark', { javaScriptEnabled: false });
  await page.goto(`${base}/health-checks`);
  await page.locator('[data-action="check-now"]').click();
  await at(page, 'health');
  await page.context().close();
});

test('a signature and a report are whole on paper, from either theme', async () => {
  const page = await person(browser, 'devops.lead@rivermark', { colorScheme: 'dark' });
  for (const name of ['signature', 'gate', 'report', 'release']) {
    await page.goto(base + places['devops.lead@rivermark'][name]);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.deepEqual(await findings(page), [], `${name} on paper`);
    assert.ok(!(await page.locator('.rail').isVisible()), `${name} prints the rail`);
    const cut = await page.evaluate(() => [...document.querySelectorAll('main *')].filter((one) => {
      const { overflowX, overflowY } = getComputedStyle(one);
      return (overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1) || (overflowY !== 'visible' && one.scrollHeight > one.clientHeight + 1);
    }).filter((one) => one.clientWidth > 1).map((one) => one.outerHTML.slice(0, 120)));
    assert.deepEqual(cut, [], `${name} is cut off on paper`);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), 'rgb(26, 30, 38)', `${name} is printed as dark`);
    await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
  }
  await page.context().close();
});
