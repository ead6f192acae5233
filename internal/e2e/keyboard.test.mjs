// The same job with the keyboard alone: Tab to what is wanted, Enter or Space to press it. Wherever the focus stops it is seen,
// and a page that changes under somebody's hands takes neither the focus nor a word.
import { test, before, after } from 'node:test';
import { at, assert, base, Crew, launch, press, state, story } from './lib.mjs';

const step = story(test);

let browser;
let crew;
before(async () => {
  browser = await launch();
  crew = new Crew(browser);
});
after(async () => { await browser?.close(); });

// focused says what has the focus: whether it is what is wanted, how it is seen, and where it is.
function focused(page, selector) {
  return page.evaluate((wanted) => {
    const here = document.activeElement;
    if (!here || here === document.body) return { nothing: true };
    const style = getComputedStyle(here);
    const box = here.getBoundingClientRect();
    return {
      wanted: here.matches(wanted),
      what: here.outerHTML.slice(0, 120),
      outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
      inView: box.bottom > 0 && box.top < innerHeight,
      value: here.value,
    };
  }, selector);
}

// tabTo presses Tab until the thing has the focus; each stop on the way is seen and is not left by nothing.
async function tabTo(page, selector, stops = 160) {
  assert.ok(await page.locator(selector).count(), `${selector} is not on ${page.url()}`);
  let last = '';
  let same = 0;
  for (let stop = 0; stop < stops; stop++) {
    const here = await focused(page, selector);
    if (here.wanted) return;
    await page.keyboard.press('Tab');
    const next = await focused(page, selector);
    if (next.nothing) continue; // the end of the page: the next Tab begins it again
    assert.ok(next.outlined, `the focus is not seen on ${next.what}`);
    assert.ok(next.inView, `the focus is out of sight on ${next.what}`);
    same = next.what === last ? same + 1 : 0;
    assert.ok(same < 12, `Tab does not leave ${next.what}`); // a date has several places
    last = next.what;
  }
  assert.fail(`Tab never reached ${selector} on ${page.url()}`);
}

// enter goes to a thing, presses the key there, and gives the answer that comes.
async function enter(page, selector, key = 'Enter') {
  await tabTo(page, selector);
  const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
  return answer;
}

const act = (name) => `main [data-action="${name}"]`;

async function type(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

// unfold opens the part with that id.
async function unfold(page, id) {
  await tabTo(page, `#${id} > summary`);
  if (!(await page.locator(`#${id}`).evaluate((part) => part.open))) await page.keyboard.press('Enter');
}

async function opened(role, item) {
  const page = await crew.as(role);
  await page.goto(`${crew.home}/items/${item}`);
  await at(page, 'item_show');
  return page;
}

async function authenticated(page, username) {
  await type(page, 'form[data-form="typed"] [name="username"]', username);
  await page.keyboard.press('Tab');
  await page.keyboard.type('demo');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
}

step('signing in, and past the rail to the content', async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'UTC' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`${base}/releases`);
  await enter(page, 'main [data-action="login"]');
  await authenticated(page, crew.username('devops_engineer'));
  await at(page, 'release_list');
  await page.keyboard.press('Tab');
  const skip = await focused(page, 'a.skip');
  assert.ok(skip.wanted && skip.inView && skip.outlined, `the first stop is ${skip.what}`);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.ok((await focused(page, 'main *')).wanted, 'after the skip link the focus is not in the content');
  crew.people.set('devops_engineer', page);
});

step('what is focused comes in the order in which it is read', async () => {
  for (const [role, path] of [['devops_engineer', '/releases'], ['devops_engineer', '/releases/new'], ['auditor', '/audit']]) {
    const page = await crew.as(role);
    await page.goto(base + path);
    const places = [];
    for (let stop = 0; stop < 60; stop++) {
      await page.keyboard.press('Tab');
      const place = await page.evaluate(() => {
        const here = document.activeElement;
        if (!here || here === document.body) return -1;
        return [...document.querySelectorAll('*')].indexOf(here);
      });
      if (place < 0) break;
      places.push(place);
    }
    assert.deepEqual(places, places.toSorted((a, b) => a - b), path);
    assert.equal(await page.locator('[tabindex]:not([tabindex="0"], [tabindex="-1"])').count(), 0, 'no order of our own');
  }
});

step('a release starts; what was refused has the focus, and leads to the field', async () => {
  const page = await crew.as('devops_engineer');
  await page.goto(`${base}/releases`);
  await enter(page, 'main a[href="/releases/new"]');
  await at(page, 'release_start');
  await type(page, '[name="code"]', 'no/slash');
  assert.equal((await enter(page, 'button[data-action="start"]', 'Space')).status(), 422);
  assert.ok((await focused(page, '[data-complaints]')).wanted, 'the complaints have the focus');
  await tabTo(page, '[data-complaints] a[href="#code"]', 4);
  await page.keyboard.press('Enter');
  assert.ok((await focused(page, '#code')).wanted, 'the link of a complaint leads to its field');
  await type(page, '#code', 'REQ-BY-KEYBOARD');
  await enter(page, 'button[data-action="start"]', 'Space');
  await at(page, 'release_show');
  crew.home = page.url();
});

step('an item is opened from the list, and settled by what was seen', async () => {
  const page = await crew.as('devops_engineer');
  await enter(page, '[data-item="PRE-I5"] a');
  await at(page, 'item_show');
  await enter(page, act('take'));
  await type(page, '[name="evidence_text"]', 'Seen by somebody without a mouse.');
  await enter(page, act('done'), 'Space');
  assert.equal(await state(page, '[data-item]'), 'done');
});

step('evidence of every kind', async () => {
  let page = await opened('qa_lead', 'PRE-P4');
  await type(page, '[name="evidence_number"]', '99');
  assert.equal((await enter(page, act('done'))).status(), 422);
  assert.ok((await focused(page, '[data-complaints]')).wanted);
  assert.equal(await page.locator('[name="evidence_number"]').inputValue(), '99');
  await type(page, '[name="evidence_number"]', '9.5');
  await enter(page, act('done'));
  assert.equal(await state(page, '[data-item]'), 'done');

  page = await opened('devops_engineer', 'PRE-I2');
  await type(page, '[name="evidence_link"]', 'https://evidence.example.com/PRE-I2');
  await enter(page, act('done'));
  assert.equal(await state(page, '[data-item]'), 'done');

  page = await opened('statistical_expert', 'PRE-P5');
  await tabTo(page, '[name="evidence_statement"]');
  await page.keyboard.press('Space');
  await enter(page, act('done'));
  assert.equal(await state(page, '[data-item]'), 'done');

  page = await opened('devops_engineer', 'PRE-P1');
  await enter(page, act('check'));
  assert.equal(await page.locator('[data-evidence][data-machine]').count(), 1);

  page = await opened('backend_lead', 'H48-1');
  await unfold(page, 'attach');
  await tabTo(page, '#attach input[type="file"]');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Space')]);
  await chooser.setFiles({ name: 'report.txt', mimeType: 'text/plain', buffer: Buffer.from('The report.') });
  await enter(page, act('attach'));
  assert.match(await page.locator('[data-file]').innerText(), /report\.txt/);
});

step('a comment, taking over, skipping', async () => {
  let page = await opened('backend_lead', 'PRE-P7');
  await type(page, '[name="comment"]', 'I look at it now.');
  await enter(page, act('comment'));
  assert.match(await page.locator('[data-comment]').innerText(), /I look at it now/);
  await enter(page, act('take'));
  page = await opened('devops_engineer', 'PRE-P7');
  await unfold(page, 'act-takeover');
  await type(page, '#reason-takeover', 'Agreed on the call.');
  await enter(page, act('takeover'));
  assert.match(await page.locator('[data-holder]').innerText(), /you/);
  page = await opened('frontend_lead', 'PRE-P6');
  await unfold(page, 'act-skip');
  await type(page, '#reason-skip', 'No page changes.');
  await enter(page, act('skip'));
  assert.equal(await state(page, '[data-item]'), 'skipped');
});

step('a page that changes by itself takes neither the focus nor a word', async () => {
  const page = await opened('qa_lead', 'PRE-C1');
  await type(page, '[name="evidence_text"]', 'Half a sen');
  const other = await opened('product_owner', 'PRE-C1');
  await page.locator('[data-present]').waitFor(); // it is told of what happens
  await other.locator('[name="comment"]').fill('Somebody else speaks.');
  await press(other, 'comment');
  await page.locator('[data-comment]').waitFor();
  assert.ok((await focused(page, '[name="evidence_text"]')).wanted, 'the focus was taken');
  await page.keyboard.type('tence.');
  assert.equal(await page.locator('[name="evidence_text"]').inputValue(), 'Half a sentence.');

  await tabTo(page, act('to-release'));
  await press(other, 'take');
  await page.locator('[data-live-moved]:not(:empty)').waitFor();
  assert.ok((await focused(page, act('to-release'))).wanted, 'the focus was taken from a link');
  assert.equal(await page.locator('[name="evidence_text"]').inputValue(), 'Half a sentence.');
});

step('a gate is signed and rejected; a new attempt is opened', async () => {
  const gate = `${new URL(crew.home).pathname}/gates/go_no_go`;
  const qa = await crew.as('qa_lead');
  await qa.goto(base + gate);
  await unfold(qa, 'reject');
  await type(qa, '[name="reject_reason"]', 'The report is of another commit.');
  await enter(qa, act('reject'));
  assert.match(await qa.locator('[data-stopped]').innerText(), /another commit/);
  const lead = await crew.as('devops_lead');
  await lead.goto(base + gate);
  await type(lead, '[name="attempt_note"]', 'The right report is attached.');
  await enter(lead, act('reopen'));
  assert.equal(await lead.locator('[data-stopped]').count(), 0);
});

step('the list of keys opens, holds the focus, and gives it back', async () => {
  const page = await crew.as('auditor');
  await page.goto(`${base}/audit`);
  await tabTo(page, act('filter'));
  await page.keyboard.press('?');
  assert.ok(await page.locator('#keys').evaluate((dialog) => dialog.open));
  await page.keyboard.press('Escape');
  assert.ok((await focused(page, act('filter'))).wanted, 'the focus is back where it was');
  await page.keyboard.press('/');
  assert.ok((await focused(page, '[data-search]')).wanted);
  await page.keyboard.type('Nobody of that name');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  assert.equal(await page.locator('[data-audit]').count(), 0);
  await enter(page, act('clear'));
});

step('the next person takes over a shared browser', async () => {
  const page = await crew.as('product_owner');
  await page.goto(`${base}/releases`);
  await tabTo(page, '[data-who] > summary');
  await page.keyboard.press('Enter');
  await enter(page, '[data-action="switch-user"]');
  await page.locator('form[data-form="typed"]').waitFor();
  await authenticated(page, crew.username('viewer'));
  await at(page, 'release_list');
});

step('the release is aborted', async () => {
  const page = await crew.as('devops_lead');
  await page.goto(crew.home);
  await unfold(page, 'abort');
  await type(page, '[name="abort_reason"]', 'The walk is over.');
  await type(page, '[name="confirm"]', 'REQ-BY-KEYBOARD');
  await enter(page, act('abort'));
  assert.match(await page.locator('[data-live-region="head"]').first().innerText(), /aborted/i);
});
