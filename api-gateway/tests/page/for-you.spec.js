// For you: people, preferences, the list with its reasons, and what moves it.
import { expect, newName, open, picture, test } from './support.js';

const titles = (page) => page.locator('.ranking h2 a');
const changed = (page) => page.locator('.change');

test('a person is created or found by number', async ({ page, api }) => {
  await open(page, '#/for-you');
  await page.getByRole('button', { name: 'Somebody else ...' }).click();
  const name = newName();
  await page.getByLabel('Somebody new').fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`For ${name}`);
  const other = await api.person();
  await page.locator('.who').click();
  await page.getByLabel('Somebody by number').fill(String(other.id));
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`For ${other.username}`);
});

test('each score is a bar of its parts, which sum to it', async ({ page, api }, info) => {
  const liked = [await api.movie('Alien'), await api.movie('Interstellar'), await api.movie('Dune')];
  const person = await api.person({ likes: liked.map(({ id }) => id), genres: ['Science Fiction'] });
  await open(page, `#/for-you?person=${person.id}`);
  await expect(titles(page)).toHaveCount(12);
  await expect(page.locator('.reason', { hasText: /ecause you liked/ }).first()).toBeVisible();
  await picture(page, info, 'for-you');
  const first = page.locator('.rank').first();
  expect(await first.locator('.bar span').count()).toBeGreaterThan(2);
  await first.getByRole('button', { name: 'Why?' }).click();
  const parts = (await first.locator('tbody tr:not(.sum) td:last-child').allTextContents()).map(Number);
  const sum = Number(await first.locator('tr.sum td').last().textContent());
  expect(Math.abs(parts.reduce((a, b) => a + b, 0) - sum)).toBeLessThan(0.006);
  await expect(first.locator('.sources')).toContainText('It comes from');
});

test('a slider reorders the list at once and says what moved', async ({ page, api }) => {
  const person = await api.person({ likes: [(await api.movie('Alien')).id], genres: ['Drama'] });
  await open(page, '#/for-you', person);
  await expect(titles(page)).toHaveCount(12);
  const before = await titles(page).allTextContents();
  const weights = page.locator('.weights');
  if (!(await weights.evaluate((details) => details.open))) await weights.locator('summary').click();
  // At once: also when the service takes its time.
  await page.route(/weights=/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  const answered = page.waitForResponse(/weights=recency/);
  await weights.getByLabel(/New releases/).fill('1');
  await expect(changed(page)).toContainText('What changed:', { timeout: 1000 });
  await answered;
  await expect(page.locator('.ranking')).toHaveAttribute('aria-busy', 'false');
  const after = await titles(page).allTextContents();
  expect(after).not.toEqual(before);
  await expect(page.locator('.move:not(:empty)').first()).toBeVisible();
  await page.unroute(/weights=/);
  await weights.getByRole('button', { name: 'As usual' }).click();
  await expect.poll(() => titles(page).allTextContents()).toEqual(before);
});

test('variety brings in other movies', async ({ page, api }) => {
  const person = await api.person({ genres: ['Drama'] });
  await open(page, '#/for-you', person);
  await expect(titles(page)).toHaveCount(12);
  const before = await titles(page).allTextContents();
  const weights = page.locator('.weights');
  if (!(await weights.evaluate((details) => details.open))) await weights.locator('summary').click();
  await weights.getByLabel(/Variety/).fill('0.9');
  await expect(changed(page)).toContainText('came in');
  expect(await titles(page).allTextContents()).not.toEqual(before);
});

test('a like in the list changes the list', async ({ page, api }) => {
  await open(page, '#/for-you', await api.person());
  await expect(titles(page)).toHaveCount(12);
  const liked = await titles(page).nth(3).textContent();
  await page.getByRole('button', { name: `Like ${liked}`, exact: true }).click();
  await expect(changed(page)).toContainText(`${liked} `);
  await expect(
    page
      .locator('.reason')
      .filter({ hasText: `ecause you liked ${liked}` })
      .first(),
  ).toBeVisible();
  await expect(
    titles(page).filter({ hasText: new RegExp(`^${liked.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) }),
  ).toHaveCount(0);
});

test('preferences are saved and followed at once', async ({ page, api }) => {
  const person = await api.person();
  await open(page, '#/for-you', person);
  await expect(titles(page)).toHaveCount(12);
  await page.locator('.preferences summary').click();
  await page.locator('.preferences').getByRole('button', { name: 'Western' }).click();
  await expect(page.locator('.rank').filter({ hasText: 'Western' }).first()).toBeVisible();
  await expect(changed(page)).toContainText('What changed:');
  await expect
    .poll(async () => (await api.get(`/users/${person.id}/preferences`)).preferred_genres)
    .toEqual(['Western']);
});
