// The web page in a browser, on a running platform. `./dev-services.sh test` runs these tests, with
//   BASE_URL  where the gateway is
//   CHROMIUM  the browser
//   OUTPUT    a folder for screenshots
import { defineConfig } from '@playwright/test';

const browser = {
  browserName: 'chromium',
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
};

export default defineConfig({
  testDir: '.',
  outputDir: `${process.env.OUTPUT ?? '/tmp/page'}/results`,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  reporter: [['list']],
  use: { baseURL: process.env.BASE_URL, screenshot: 'only-on-failure', trace: 'off' },
  projects: [
    { name: 'desktop', use: { ...browser, viewport: { width: 1280, height: 860 }, colorScheme: 'dark' } },
    {
      name: 'phone',
      use: { ...browser, viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
    },
  ],
});
