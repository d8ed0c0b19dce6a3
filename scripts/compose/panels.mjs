// @ts-check
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootDirectory } from '../services/paths.mjs'
import { waitUntilReady } from '../services/wait-until-ready.mjs'

/** @typedef {{ title: string, targets: { expr: string }[] }} Panel */
/** @typedef {{ uid: string, title: string, panels: Panel[] }} Dashboard */

const dashboards = join(rootDirectory, 'docker/grafana/dashboards')
const pollMs = 2000

/**
 * Asks Prometheus each query of each dashboard until all have data. The same dashboards must be in Grafana.
 * @param {{ grafanaUrl: string, prometheusUrl: string, timeoutMs: number }} options
 * @returns {Promise<{ panels: number, silent: string[] }>} panels with data, and the queries without
 */
export async function findSilentPanels({ grafanaUrl, prometheusUrl, timeoutMs }) {
  const deadline = performance.now() + timeoutMs
  const isThere = async (/** @type {() => Promise<string | undefined>} */ probe) =>
    (await waitUntilReady(probe, { timeoutMs: deadline - performance.now(), intervalMs: pollMs })) === undefined
  const all = await readDashboards()
  const silent = []
  for (const { uid, title } of all) {
    if (!(await isThere(() => findAbsence(`${grafanaUrl}/api/dashboards/uid/${uid}`)))) {
      silent.push(`dashboard ${title} is not in Grafana`)
    }
  }
  let panels = 0
  for (const { title, panels: list } of all) {
    for (const panel of list) {
      const empty = []
      for (const { expr } of panel.targets) {
        if (!(await isThere(() => findSilence(prometheusUrl, expr)))) empty.push(`${title}, ${panel.title}: ${expr}`)
      }
      if (empty.length === 0) panels += 1
      silent.push(...empty)
    }
  }
  return { panels, silent }
}

/** @returns {Promise<Dashboard[]>} */
async function readDashboards() {
  const files = await readdir(dashboards)
  return await Promise.all(files.map(async (file) => JSON.parse(await readFile(join(dashboards, file), 'utf8'))))
}

/** Grafana prepares its database before it listens. @param {string} url */
async function findAbsence(url) {
  const authorization = `Basic ${Buffer.from('admin:admin123').toString('base64')}`
  const response = await fetch(url, { headers: { authorization } }).catch(() => undefined)
  return response?.ok ? undefined : 'it is not there'
}

/** @param {string} prometheusUrl @param {string} expr */
async function findSilence(prometheusUrl, expr) {
  // Grafana's $__rate_interval: four scrapes.
  const query = encodeURIComponent(expr.replaceAll('$__rate_interval', '40s'))
  const response = await fetch(`${prometheusUrl}/api/v1/query?query=${query}`)
  const answer = /** @type {any} */ (await response.json())
  if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`)
  const numbers = answer.data.result.filter((/** @type {any} */ { value }) => value[1] !== 'NaN')
  return numbers.length > 0 ? undefined : 'it has no data'
}
