// @ts-check
import { environment } from '../environment.mjs'
import { step } from './progress.mjs'
import { waitUntilReady } from './wait-until-ready.mjs'

/** How long a server that somebody is just starting may take. */
const patienceMs = 10_000

/** @param {string} url */
function hidePassword(url) {
  const shown = new URL(url)
  if (shown.password) shown.password = '***'
  return shown.href
}

/**
 * A server's URL from the environment, once the server answers.
 * @param {'RABBITMQ_URL' | 'DATABASE_URL'} variable
 * @param {string | undefined} own the URL of this clone's private instance: `--env` may have put it there, which makes
 *   it no foreign server
 * @param {(url: string) => Promise<string | undefined>} probe
 * @returns {Promise<string | undefined>} undefined: none is given
 */
export async function readGivenUrl(variable, own, probe) {
  const url = environment[variable]
  if (!url || url === own) return undefined
  // Several brokers of one cluster may be given, separated by commas.
  const urls = url.split(',').map((one) => one.trim())
  for (const one of urls) {
    if (!URL.canParse(one)) throw new Error(`${variable} is not a URL: expected something like ${own ?? 'amqp://…'}`)
  }
  /** @type {string | undefined} */
  let refusal
  const probeAll = async () => {
    const faults = await Promise.all(urls.map((one) => probe(one)))
    if (faults.includes(undefined)) return undefined
    refusal = faults.find((fault) => !/^(connect|getaddrinfo|no answer|it is starting)/.test(fault ?? ''))
    return faults[0]
  }
  const fault = await step(`waiting for ${variable}`, () =>
    waitUntilReady(probeAll, { timeoutMs: patienceMs, intervalMs: 500, ended: () => refusal }),
  )
  if (fault !== undefined) {
    throw new Error(
      `${variable} is ${urls.map(hidePassword).join(',')}, which cannot be used: ${fault.replace(/\.$/, '')}. Start that server, or unset ${variable} to get a private one.`,
    )
  }
  return url
}

/**
 * @param {string} rabbitmqUrl
 * @returns {string} RABBITMQ_MANAGEMENT_URL, else the usual port of the broker's host
 */
export function managementUrlOf(rabbitmqUrl) {
  const { protocol, hostname } = new URL(/** @type {string} */ (rabbitmqUrl.split(',')[0]))
  const usual = protocol === 'amqps:' ? `https://${hostname}:15671` : `http://${hostname}:15672`
  return environment.RABBITMQ_MANAGEMENT_URL ?? usual
}
