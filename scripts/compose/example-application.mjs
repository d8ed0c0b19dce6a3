// @ts-check
import { step } from '../services/progress.mjs'
import { waitUntilReady } from '../services/wait-until-ready.mjs'
import { logIn } from '../start/visit-application.mjs'
import { readVisit } from './application-visit.mjs'
import { tryApplicationRole } from './database-refusals.mjs'
import { readEffects } from './effects.mjs'
import { reportRefusals } from './refusals.mjs'

const limitMs = 60_000
const pollMs = 250
const services = ['application', 'application-grants', 'application-key', 'application-migrate', 'application-setup']

/**
 * Looks that nothing of the example application is there without its profile, and does with it what its page does.
 * @param {import('./test-fleet.mjs').TestFleet} testFleet without the profile
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export async function testExampleApplication(testFleet, report) {
  const { fleet, withVariables, sources, ports } = testFleet
  const { check, print } = report
  const prometheusUrl = `http://127.0.0.1:${ports.PROMETHEUS_PORT}`
  const present = (await fleet.compose('ps', '--all', '--services'))
    .split('\n')
    .filter((name) => services.includes(name))
  check(present.length === 0, `without the profile there is ${present.join(', ')}`)
  const roles = await sources.query("SELECT FROM pg_roles WHERE rolname = 'example_application'")
  check(roles.length === 0, 'without the profile the database has the role example_application')
  check((await readUp(prometheusUrl)) === undefined, 'without the profile Prometheus looks for the application')

  const example = withVariables({ COMPOSE_PROFILES: 'example' })
  await step('building the example application', () => example.compose('build', 'application'))
  await step('bringing the example application up', () => example.up())
  const url = `http://127.0.0.1:${ports.APPLICATION_PORT}`
  for (const [where, done] of Object.entries(await readVisit(url))) {
    check(done !== undefined, `a message of the example application: nothing in ${where}`)
    print(`  ${where}: ${done}`)
  }
  await notify(url, sources, report)

  const databaseUrl = `postgres://example_application:development@127.0.0.1:${ports.POSTGRES_PORT}/mono`
  reportRefusals('role of the example application', await tryApplicationRole(databaseUrl), report)
  await testKey(example, report)
  const isSeen = async () => ((await readUp(prometheusUrl)) === 1 ? undefined : 'it is not scraped')
  const unseen = await waitUntilReady(isSeen, { timeoutMs: limitMs, intervalMs: pollMs })
  check(unseen === undefined, `the example application at Prometheus: ${unseen}`)
  for (const service of ['application-setup', 'application']) {
    const { code, stdout, stderr } = await example.tryCompose(
      ...['run', '--rm', '--no-deps', '--env', 'NODE_ENV=production', service],
    )
    const answer = `${stdout}${stderr}`
    const refused = code !== 0 && answer.includes('a password of your own')
    check(refused, `${service} takes what is of development in production: ${answer.slice(-500)}`)
    if (service === 'application') check(answer.includes('DEMO_LOGIN'), 'the application logs anybody in in production')
    if (refused) print(`${service} in production: refused`)
  }
}

/**
 * A notification to everybody, by push and by mail, seen by what was to get it, and by what the application says of it.
 * @param {string} url
 * @param {import('./effects.mjs').Sources} sources
 * @param {import('./run-fleet-test.mjs').Report} report
 */
async function notify(url, sources, { check, print }) {
  const call = await logIn(url)
  const { endpoint, p256dh, auth } = /** @type {import('@mono/test-support').PushDevice} */ (
    await (await fetch(`${sources.pushUrl}/subscribe`, { method: 'POST' })).json()
  )
  await call('POST', '/devices', { endpoint, keys: { p256dh, auth } })
  const pushesBefore = (await readEffects('push.notifications', sources)).length
  const title = `Lunch at ${new Date().toISOString()}`
  const { notificationId } = await call('POST', '/notifications', { title, body: 'Soup', sendEmail: true })
  const probe = async () => {
    const { push, email } = await call('GET', `/notifications/${notificationId}`)
    const counts = [push, email].map(({ outcomes }) => countSent(outcomes))
    return counts[0] === 1 && counts[1] === 2 ? undefined : JSON.stringify({ push, email })
  }
  const fault = await waitUntilReady(probe, { timeoutMs: limitMs, intervalMs: pollMs })
  check(fault === undefined, `what the example application tells of a notification: ${fault}`)
  const pushes = (await readEffects('push.notifications', sources)).length - pushesBefore
  const mails = (await readEffects('email.notifications', sources)).filter((subject) => subject === title).length
  check(pushes === 1 && mails === 2, `expected 1 push and 2 mails of a notification, found ${pushes} and ${mails}`)
  print(`  a notification by its routes: ${pushes} push, ${mails} mails`)
}

/** @param {{ outcome: string, count: number }[] | null} outcomes */
const countSent = (outcomes) => outcomes?.find(({ outcome }) => outcome === 'sent')?.count

/**
 * The key of the tokens for browsers can be read by the application only.
 * @param {import('./fleet.mjs').Fleet} fleet
 * @param {import('./run-fleet-test.mjs').Report} report
 */
async function testKey(fleet, { check }) {
  const inApplication = (/** @type {string[]} */ ...command) =>
    fleet.tryCompose('exec', '-T', 'application', ...command)
  const file = '/var/lib/application/realtime-key.pem'
  const { stdout } = await inApplication('stat', '--format=%a %U', file)
  check(stdout.trim() === '400 node', `${file}: expected mode 400 of node, found ${stdout}`)
  const written = await inApplication('touch', file)
  check(written.code !== 0, 'the application may change its key')
}

/** @param {string} prometheusUrl @returns {Promise<number | undefined>} undefined: there is no such target */
async function readUp(prometheusUrl) {
  const response = await fetch(`${prometheusUrl}/api/v1/query?query=up{job="example-application"}`)
  const [sample] = /** @type {any} */ (await response.json()).data.result
  return sample && Number(sample.value[1])
}
