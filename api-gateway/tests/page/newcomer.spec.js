// The first minute: a token, a search, a like, and the list that follows from it.
import { expect, newName, picture, test } from './support.js';

test('a newcomer finds a movie, likes it, and sees the list change and why', async ({ page }, info) => {
  await page.goto('/');
  await picture(page, info, 'welcome');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByRole('searchbox', { name: 'Search movies' }).fill('shawshenk');
  const card = page.getByRole('listitem').filter({ hasText: 'The Shawshank Redemption' }).first();
  await expect(card).toBeVisible();
  await card.getByRole('button', { name: 'Like The Shawshank Redemption' }).click();

  // Nobody has been chosen yet: the like waits until somebody is.
  const dialog = page.getByRole('dialog', { name: 'Who are you?' });
  const name = newName();
  await dialog.getByLabel('Somebody new').fill(name);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog).toBeHidden();
  const notice = page.getByRole('status').filter({ hasText: 'You like The Shawshank Redemption.' });
  await expect(notice).toContainText('The list of recommendations changed');
  await expect(card.getByRole('button', { name: /^Like/ })).toHaveAttribute('aria-pressed', 'true');

  await notice.getByRole('link', { name: 'See the list' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`For ${name}`);
  await expect(page.getByText('What changed:')).toBeVisible();
  await expect(
    page.locator('.reason').filter({ hasText: 'ecause you liked The Shawshank Redemption' }).first(),
  ).toBeVisible();
});

test('the token is asked for once a tab and sent with each request', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Token').fill('my word');
  const request = page.waitForRequest(/\/api\/v1\/movies/);
  await page.getByRole('button', { name: 'Start' }).click();
  expect((await request).headers().authorization).toBe('Bearer my word');
  await page.reload();
  await expect(page.getByRole('searchbox')).toBeVisible();
  expect(await page.evaluate(() => Object.values({ ...localStorage }).join())).not.toContain('my word');
});
