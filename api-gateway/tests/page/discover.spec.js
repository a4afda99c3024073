// Discover: search, facets, sorting, the endless list, the address, and all of it by keyboard.
import { expect, open, picture, test } from './support.js';

const cards = (page) => page.locator('.grid .card a');
const total = (page) => page.locator('.result-line p');

test('search forgives spelling and follows typing', async ({ page }) => {
  await open(page, '#/discover');
  await expect(total(page)).toHaveText(/^\d{3,} movies$/);
  await page.getByRole('searchbox').pressSequentially('godfathr');
  await expect(cards(page).first()).toContainText('The Godfather');
  await expect(page).toHaveURL(/q=godfathr/);
});

test('typing fast cancels requests that are out of date', async ({ page }) => {
  await open(page, '#/discover');
  await expect(total(page)).toHaveText(/movies/);
  const asked = [];
  page.on(
    'request',
    (request) => request.url().includes('facets=genres') && asked.push(new URL(request.url()).searchParams.get('q')),
  );
  await page.getByRole('searchbox').pressSequentially('interstellar', { delay: 15 });
  await expect(cards(page).first()).toContainText('Interstellar');
  expect(asked.length).toBeLessThan('interstellar'.length / 2);
  expect(asked.at(-1)).toBe('interstellar');
});

test('genre, language and decade narrow the list, and their counts say how far', async ({ page }) => {
  await open(page, '#/discover');
  const western = page.getByRole('button', { name: /^Western/ });
  await expect(western).toHaveText(/Western\s*[1-9]/);
  const promised = (await western.textContent()).match(/\d+/)[0];
  await western.click();
  await expect(total(page)).toHaveText(`${promised} movies`);
  await page.getByLabel('Decade').selectOption('1960');
  await page.getByLabel('Language').selectOption('it');
  await expect(cards(page).first()).toContainText('196');
  await page.getByRole('button', { name: 'Clear all' }).click();
  await expect(total(page)).toHaveText(/^\d{3,} movies$/);
});

test('sorting by title begins at the beginning of the alphabet', async ({ page }) => {
  await open(page, '#/discover');
  await page.getByLabel('Sort').selectOption('title');
  await expect(cards(page).first().locator('.card-title')).toHaveText(/^[^B-Z]/);
  await page.getByLabel('Sort').selectOption('vote_average');
  await expect(page).toHaveURL(/sort=vote_average/);
  const ratings = async () =>
    (await page.locator('.card-facts').allTextContents()).slice(0, 10).map((text) => Number(text.split('★ ')[1]));
  await expect
    .poll(async () => (await ratings()).every((rating, index, all) => index === 0 || rating <= all[index - 1]))
    .toBe(true);
});

test('the list goes on by itself, without a movie twice', async ({ page }) => {
  await open(page, '#/discover');
  await expect(cards(page)).toHaveCount(24);
  await cards(page).last().scrollIntoViewIfNeeded();
  await expect.poll(() => cards(page).count()).toBeGreaterThan(24);
  const links = await cards(page).evaluateAll((all) => all.map((card) => card.getAttribute('href')));
  expect(new Set(links).size).toBe(links.length);
});

test('a link shows another person the same list', async ({ page, browser, baseURL }, info) => {
  await open(page, '#/discover');
  await page.getByRole('searchbox').fill('the');
  await page.getByRole('button', { name: /^Drama/ }).click();
  await page.getByLabel('Decade').selectOption('1990');
  await expect(page).toHaveURL(/decade=1990/);
  await expect(page.locator('.grid')).toHaveAttribute('aria-busy', 'false');
  await picture(page, info, 'discover');
  const mine = await cards(page).allTextContents();
  const other = await (await browser.newContext({ baseURL })).newPage();
  await open(other, new URL(page.url()).hash);
  await expect(cards(other)).toHaveCount(mine.length);
  expect(await cards(other).allTextContents()).toEqual(mine);
  await expect(other.getByRole('searchbox')).toHaveValue('the');
});

test('going back from a movie finds the list as it was', async ({ page }) => {
  await open(page, '#/discover?q=the');
  await expect(cards(page)).toHaveCount(24);
  await cards(page).last().scrollIntoViewIfNeeded();
  await expect.poll(() => cards(page).count()).toBeGreaterThan(24);
  const before = await cards(page).count();
  await cards(page).nth(20).click();
  await expect(page.locator('.facts h1')).toBeVisible();
  await page.goBack();
  expect(await cards(page).count()).toBeGreaterThanOrEqual(before);
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(200);
});

test('the keyboard alone searches, filters, opens a movie and likes it', async ({ page, api }) => {
  await open(page, '#/discover', await api.person());
  await expect(cards(page).first()).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('alien');
  await expect(cards(page).first()).toContainText('Alien');
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.matches('.card a'))) break;
  }
  await page.keyboard.press('Enter');
  await expect(page.locator('.facts h1')).toContainText('Alien');
  await page.getByRole('button', { name: 'Like', exact: true }).press('Enter');
  await expect(page.getByRole('button', { name: 'Like', exact: true })).toHaveAttribute('aria-pressed', 'true');
});
