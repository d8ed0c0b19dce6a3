// @ts-check
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { runFleetTest } from './compose/run-fleet-test.mjs'
import { withTestFleet } from './compose/test-fleet.mjs'
import { environment } from './environment.mjs'
import { rootDirectory } from './services/paths.mjs'
import { run } from './services/processes.mjs'
import { step } from './services/progress.mjs'

const usage = `usage: npm run test:compose:tls [-- --messages N] [--keep] [--if-possible]

Makes certificates, brings the whole fleet and the example application up with docker-compose.tls.yml under a project of
its own, renews them, sends messages, counts their effects, tries what must be refused, and takes it down. The exit code
is 1 if anything is not as it must be.
  --messages N  to each queue; default 50
  --keep        leaves the fleet and the certificates
  --if-possible without Docker, or an image, says so and ends with 0`

const client = 'publisher'
const settleMs = 60_000
const overlays = ['docker-compose.tls.yml']

/** @param {string} directory */
async function makeCertificates(directory) {
  const { code, stderr } = await run(join(rootDirectory, 'docker/tls/make-certificates.sh'), [client], {
    env: { ...environment, TLS_CERTIFICATES: directory },
  })
  if (code !== 0) throw new Error(`docker/tls/make-certificates.sh ended with code ${code}: ${stderr}`)
}

/**
 * @param {import('./compose/tls-client.mjs').TlsTask} task
 * @param {string} [authority] file; none: only the authorities that Node.js knows
 * @returns {Promise<import('./compose/tls-client.mjs').TlsReport>}
 */
async function runClient(task, authority) {
  const { code, stdout, stderr } = await run(
    process.execPath,
    [join(rootDirectory, 'scripts/compose/tls-client.mjs'), JSON.stringify(task)],
    { env: { ...environment, NODE_EXTRA_CA_CERTS: authority } },
  )
  if (code !== 0) throw new Error(`the client ended with code ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

/**
 * @param {number} messages to each queue
 * @param {import('./compose/test-fleet.mjs').TestFleet} testFleet
 * @param {import('./compose/run-fleet-test.mjs').Report} report
 */
async function testComposeTls(messages, { fleet, ports, directory, sources }, { print, check, blame }) {
  // Only here, since it needs the dependencies.
  const { answerTo, createPortAttempt, createTlsAttempts } = await import('./compose/tls-attempts.mjs')

  const [certificates, foreign] = [join(directory, 'certificates'), join(directory, 'foreign')]
  const databaseUrl = (query = '') => `postgres://postgres:postgres@localhost:${ports.POSTGRES_PORT}/mono${query}`
  const judge = (/** @type {string} */ what, /** @type {RegExp} */ expected, /** @type {string} */ answer) => {
    print(`  ${what.padEnd(50)} ${answer}`)
    check(expected.test(answer), `${what}: expected ${expected}, found ${answer}`)
  }
  const task = {
    brokerUrl: `amqps://${client}:development@localhost:${ports.AMQPS_PORT}/mono`,
    databaseUrl: databaseUrl('?sslmode=verify-full'),
    smtpUrl: `smtps://localhost:${ports.SMTP_PORT}`,
  }
  await makeCertificates(certificates)
  await makeCertificates(foreign)
  await step('bringing the fleet up', () => fleet.up())

  const authority = await readFile(join(certificates, 'authority.pem'), 'utf8')
  await makeCertificates(certificates)
  await step('starting the servers with new certificates', () =>
    fleet.compose('restart', 'rabbitmq', 'postgres', 'mail-catcher'),
  )
  await step('waiting for the workers', () => fleet.up())
  const kept = (await readFile(join(certificates, 'authority.pem'), 'utf8')) === authority
  check(kept, 'the authority was made anew')

  const send = {
    messages,
    mailUrl: sources.mailUrl,
    pushUrl: sources.pushUrl,
    timeoutMs: settleMs,
  }
  const applicationUrl = `http://127.0.0.1:${ports.APPLICATION_PORT}`
  const trusting = await step(`effects of ${messages} messages to each queue`, () =>
    runClient({ ...task, send, applicationUrl }, join(certificates, 'authority.pem')),
  )
  print('a process that trusts the authority')
  for (const [server, answer] of Object.entries(trusting.answers)) judge(server, /^taken$/, answer)
  blame(...trusting.faults)
  if (trusting.faults.length === 0)
    print(`each of ${messages} messages to each queue has its effect, and so has one of the example application`)

  print('a process that trusts no authority of its own')
  for (const [server, answer] of Object.entries((await runClient(task)).answers)) {
    judge(server, /self-signed certificate in certificate chain|unable to verify the first certificate/, answer)
  }
  print('a process that trusts another authority')
  const misled = await runClient(task, join(foreign, 'authority.pem'))
  for (const [server, answer] of Object.entries(misled.answers)) {
    judge(server, /self-signed certificate in certificate chain|unable to verify the first certificate/, answer)
  }

  print('attempts')
  const attempts = await createTlsAttempts({
    ...{ certificates, foreign, client, databaseUrl, ports },
    brokerUrl: task.brokerUrl,
  })
  const execute = (/** @type {string[]} */ ...command) => fleet.tryCompose('exec', '-T', 'chat-worker', ...command)
  for (const port of [5672, 15672]) attempts.push(createPortAttempt(execute, 'rabbitmq', port))
  for (const attempt of attempts) judge(attempt.what, attempt.answer, await answerTo(attempt))
}

await runFleetTest({ usage, option: 'messages', byDefault: 50, overlays }, ({ count, keep }, report) =>
  withTestFleet(
    {
      ...{ name: 'test-tls', overlays: [...overlays, 'docker/compose.test-tls.yml'], replicas: 1, keep },
      variables: (directory) => ({ COMPOSE_PROFILES: 'example', TLS_CERTIFICATES: join(directory, 'certificates') }),
    },
    (testFleet) => testComposeTls(count, testFleet, report),
  ),
)
