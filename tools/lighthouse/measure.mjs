// Reads {chrome, cookie, urls, runs} as JSON from the command line; prints one line of JSON per page, medians of its runs.
import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';

const { chrome: chromePath, cookie, urls, runs } = JSON.parse(process.argv[2]);
const chrome = await launch({ chromePath, chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu'] });
const median = values => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
try {
  for (const url of urls) {
    const reports = [];
    let patience = 3;  // a browser that was kept from starting in time
    for (let run = 0; run < runs; run++) {
      const options = { port: chrome.port, onlyCategories: ['performance', 'accessibility', 'best-practices'], extraHeaders: cookie ? { Cookie: cookie } : {} };
      const { lhr } = await lighthouse(url, options);
      if (!lhr.runtimeError) reports.push(lhr);
      else if (--patience < 0) throw new Error(`${url}: ${lhr.runtimeError.message}`);
      else run--;
    }
    const score = name => Math.round(100 * median(reports.map(each => each.categories[name].score ?? 0)));
    const number = name => median(reports.map(each => each.audits[name].numericValue));
    const last = reports.at(-1);
    const failed = Object.values(last.audits).filter(each => ['binary', 'numeric', 'metricSavings'].includes(each.scoreDisplayMode) && each.score !== null && each.score < 0.9);
    console.log(JSON.stringify({
      url,
      performance: score('performance'),
      accessibility: score('accessibility'),
      bestPractices: score('best-practices'),
      shift: Math.round(1000 * number('cumulative-layout-shift')) / 1000,
      paintMs: Math.round(number('largest-contentful-paint')),
      blockedMs: Math.round(number('total-blocking-time')),
      machine: Math.round(last.environment.benchmarkIndex),
      kilobytes: Math.round(number('total-byte-weight') / 1000),
      below: failed.map(each => `${each.id}${each.displayValue ? ` (${each.displayValue})` : ''}`),
    }));
  }
} finally {
  chrome.kill();
}
