// @ts-check
import { waitUntilReady } from '../services/wait-until-ready.mjs'
import { visitApplication } from '../start/visit-application.mjs'

const limitMs = 60_000

/**
 * Has a chat message written in the example application and waits up to a minute for each of its effects.
 * @param {string} url of the application
 * @returns {Promise<Record<string, string | undefined>>} what was done, by where; undefined: nothing
 */
export async function readVisit(url) {
  const { effects, end } = await visitApplication(url)
  /** @type {Record<string, string | undefined>} */
  const done = {}
  try {
    for (const { where, read } of effects) {
      await waitUntilReady(async () => ((await read()) === undefined ? 'nothing' : undefined), { timeoutMs: limitMs })
      done[where] = await read()
    }
    return done
  } finally {
    await end?.()
  }
}
