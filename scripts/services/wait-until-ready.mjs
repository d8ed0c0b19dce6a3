// @ts-check
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Probes until there is no fault left.
 * @param {() => Promise<string | undefined>} probe answers with a fault, or undefined
 * @param {{ timeoutMs: number, intervalMs?: number, ended?: () => string | undefined }} options `ended`: why waiting
 *   has become pointless
 * @returns {Promise<string | undefined>} undefined when ready, else the last fault
 */
export async function waitUntilReady(probe, { timeoutMs, intervalMs = 100, ended }) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const fault = await probe()
    if (fault === undefined) return undefined
    const end = ended?.()
    if (end !== undefined) return end
    if (performance.now() > deadline) return `not ready after ${timeoutMs / 1000} s: ${fault}`
    await delay(intervalMs)
  }
}
