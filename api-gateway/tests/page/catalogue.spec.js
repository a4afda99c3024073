// Catalogue: a sync with its progress, and movies by hand.
import { expect, newName, open, picture, test } from './support.js';

test('a sync is started and followed until it has ended', async ({ page }, info) => {
  await open(page, '#/catalogue');
  await page.getByLabel('Pages').fill('3');
  const stream = page.waitForRequest(/\/admin\/sync\/jobs\/\d+\/events/);
  await page.getByRole('button', { name: 'Start a sync' }).click();
  await stream;
  const progress = page.locator('.progress');
  await expect(progress).toContainText(/Sync \d+: completed\./);
  await expect(progress.getByRole('progressbar')).toHaveJSProperty('value', 1);
  await expect(page.locator('.jobs li').first()).toBeVisible();
  await picture(page, info, 'catalogue');
});

// The sample is stored faster than one can look: this job is made up.
test('a running sync shows how far it is, and can be cancelled', async ({ page }) => {
  const job = {
    id: 77,
    state: 'running',
    source: 'tmdb',
    pages: { total: 100, done: 25, failed: 0 },
    movies: { new: 400, changed: 3, unchanged: 97 },
    errors: [],
    seconds_left: 30,
    cancel_requested: false,
    created_at: new Date().toISOString(),
    finished_at: null,
  };
  await page.route(/sync\/jobs\?/, (route) => route.fulfill({ json: { jobs: [job] } }));
  await page.route(/sync\/jobs\/77\/events/, (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `event: progress\ndata: ${JSON.stringify({ ...job, pages: { ...job.pages, done: 40 } })}\n\n`,
    }),
  );
  const cancelled = page.waitForRequest(
    (request) => request.method() === 'DELETE' && request.url().endsWith('/sync/jobs/77'),
  );
  await page.route(/sync\/jobs\/77$/, (route) =>
    route.fulfill({ status: 202, json: { ...job, cancel_requested: true } }),
  );
  await open(page, '#/catalogue');
  await expect(page.locator('.progress')).toContainText('40 of 100 pages, about 30 seconds left');
  await expect(page.getByRole('progressbar')).toHaveJSProperty('value', 0.4);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await cancelled;
});

test.describe('what the service refuses', () => {
  test.use({ allowed: true });

  test('is said at its field', async ({ page }) => {
    await open(page, '#/catalogue/new');
    await page.getByLabel('Title', { exact: true }).fill(newName());
    await page.getByLabel('Release date').fill('1200-01-01');
    await page.route(/\/api\/v1\/movies$/, (route) =>
      route.fulfill({
        status: 400,
        json: { error: 'release_date must be from 1874 on', code: 'invalid_field', field: 'release_date' },
      }),
    );
    await page.getByRole('button', { name: 'Add it' }).click();
    await expect(page.locator('.wrong')).toHaveText('release_date must be from 1874 on');
    await expect(page.getByLabel('Release date')).toHaveAttribute('aria-invalid', 'true');
  });

  test('because somebody else was faster keeps what was typed', async ({ page, api }) => {
    const { id } = await api.post('/movies', { title: newName() });
    await open(page, `#/catalogue/${id}`);
    await page.getByLabel('What it is about', { exact: true }).fill('Mine.');
    await page.request.patch(`/api/v1/movies/${id}`, {
      headers: { authorization: 'Bearer test' },
      data: { duration: 77 },
    });
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('alert')).toContainText('Somebody else changed it meanwhile.');
    await page.getByRole('button', { name: 'Load theirs' }).click();
    await expect(page.getByLabel('Minutes', { exact: true })).toHaveValue('77');
    await expect(page.getByLabel('What it is about', { exact: true })).toHaveValue('Mine.');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'is saved' })).toBeVisible();
  });
});

test.describe('movies by hand', () => {
  // Recommendations know a new movie only seconds later.
  test.use({ allowed: true });

  test('a movie is added, edited, unlocked and deleted', async ({ page }) => {
    const title = newName();
    await open(page, '#/catalogue/new');
    await page.getByLabel('Title', { exact: true }).fill(title);
    await page.getByLabel('Release date').fill('2020-02-29');
    await page.getByLabel('Minutes', { exact: true }).fill('95');
    await page.getByRole('button', { name: 'Western' }).click();
    // Nothing typed is lost.
    await page.reload();
    await expect(page.getByLabel('Title', { exact: true })).toHaveValue(title);
    await page.getByRole('button', { name: 'Add it' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
    await expect(page.locator('.fact-line')).toHaveText('2020 · 1 h 35 min');

    await page.getByRole('link', { name: 'Edit this movie' }).click();
    await page.getByLabel('What it is about', { exact: true }).fill('A lonely rider.');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('status').filter({ hasText: 'is saved' })).toBeVisible();
    const unlock = page.getByRole('button', { name: 'Unlock What it is about' });
    await unlock.click();
    await expect(unlock).toBeHidden();

    await page.getByRole('button', { name: 'Delete this movie' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Catalogue');
  });
});
