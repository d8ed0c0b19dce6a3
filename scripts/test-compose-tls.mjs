// @ts-check
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { findObstacle, openFleet } from './compose/fleet.mjs'
import { environment } from './environment.mjs'
import { buildPackages, installDependencies } from './prepare.mjs'
import { rootDirectory } from './services/paths.mjs'
import { choosePorts } from './services/ports.mjs'
import { run } from './services/processes.mjs'
import { say, step } from './services/progress.mjs'

const usage = `usage: npm run test:compose:tls [-- --messages N] [--keep] [--if-possible]

Makes certificates, brings the whole fleet up with docker-compose.tls.yml under a project of its own, renews them, sends
messages, counts their effects, tries what must be refused, and takes it down. The exit code is 1 if anything is not as it
must be.
  --messages N  to each queue; default 50
  --keep        leaves the fleet and the certificates
  --if-possible without Docker, or an image, says so and ends with 0`

const client = 'publisher'
const settleMs = 60_000
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @type {string[]} */
const faults = []

/** @param {string} what @param {RegExp} expected @param {string} answer */
function judge(what, expected, answer) {
  print(`  ${what.padEnd(50)} ${answer}`)
  if (!expected.test(answer)) faults.push(`${what}: expected ${expected}, found ${answer}`)
}

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

/** @param {{ messages: number, keep: boolean }} options */
async function testComposeTls({ messages, keep }) {
  await installDependencies()
  await buildPackages()
  // Only here, since it needs the dependencies.
  const { answerTo, createPortAttempt, createTlsAttempts } = await import('./compose/tls-attempts.mjs')

  const project = `mono-test-tls-${createHash('sha256').update(rootDirectory).digest('hex').slice(0, 10)}`
  const directory = await mkdtemp(join(tmpdir(), 'mono-compose-tls-'))
  const [certificates, foreign] = [join(directory, 'certificates'), join(directory, 'foreign')]
  const shared = await mkdtemp(join(tmpdir(), 'mono-compose-'))
  // For the user of a worker's container.
  await chmod(shared, 0o755)
  const ports = await choosePorts(
    {
      AMQPS_PORT: undefined,
      MANAGEMENT_TLS_PORT: undefined,
      RABBITMQ_METRICS_PORT: undefined,
      POSTGRES_PORT: undefined,
      SMTP_PORT: undefined,
      MAIL_PAGE_PORT: undefined,
      PUSH_CONTROL_PORT: undefined,
      PROMETHEUS_PORT: undefined,
      GRAFANA_PORT: undefined,
    },
    project,
  )
  const fleet = openFleet(
    project,
    {
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      RABBITMQ_CONTAINER: `${project}-rabbitmq`,
      TLS_CERTIFICATES: certificates,
      SHARED_DIRECTORY: shared,
      PUSH_ENDPOINT_ALLOW: 'push-service:8443',
      LOG_LEVEL: 'warn',
    },
    ['docker-compose.tls.yml', 'docker/compose.test-tls.yml'],
  )
  const databaseUrl = (query = '') => `postgres://postgres:postgres@localhost:${ports.POSTGRES_PORT}/mono${query}`
  const task = {
    brokerUrl: `amqps://${client}:development@localhost:${ports.AMQPS_PORT}/mono`,
    databaseUrl: databaseUrl('?sslmode=verify-full'),
    smtpUrl: `smtps://localhost:${ports.SMTP_PORT}`,
  }
  const up = () => fleet.compose('up', '--detach', '--no-build', '--wait')

  await fleet.compose('down', '--volumes', '--remove-orphans')
  try {
    await makeCertificates(certificates)
    await makeCertificates(foreign)
    await step('building the images', () => fleet.compose('build'))
    await step('bringing the fleet up', up)

    const authority = await readFile(join(certificates, 'authority.pem'), 'utf8')
    await makeCertificates(certificates)
    await step('starting the servers with new certificates', () =>
      fleet.compose('restart', 'rabbitmq', 'postgres', 'mail-catcher'),
    )
    await step('waiting for the workers', up)
    if ((await readFile(join(certificates, 'authority.pem'), 'utf8')) !== authority) {
      faults.push('the authority was made anew')
    }

    const send = {
      messages,
      mailUrl: `http://127.0.0.1:${ports.MAIL_PAGE_PORT}`,
      pushUrl: `http://127.0.0.1:${ports.PUSH_CONTROL_PORT}`,
      timeoutMs: settleMs,
    }
    const trusting = await step(`effects of ${messages} messages to each queue`, () =>
      runClient({ ...task, send }, join(certificates, 'authority.pem')),
    )
    print('a process that trusts the authority')
    for (const [server, answer] of Object.entries(trusting.answers)) judge(server, /^taken$/, answer)
    faults.push(...trusting.faults)
    if (faults.length === 0) print(`each of ${messages} messages to each queue has its effect once`)

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
  } catch (error) {
    print(await fleet.compose('logs', '--tail', '15'))
    throw error
  } finally {
    if (!keep) {
      await step('taking the fleet down', () => fleet.compose('down', '--volumes', '--remove-orphans'))
      for (const made of [shared, directory]) await rm(made, { recursive: true, force: true })
    }
  }
}

/** @param {{ messages: number, keep: boolean }} options */
async function main(options) {
  const since = performance.now()
  await testComposeTls(options)
  for (const fault of faults) print(`FAULT ${fault}`)
  const verdict = faults.length === 0 ? 'all as it must be' : `${faults.length} faults`
  print(`${verdict}, in ${Math.round((performance.now() - since) / 1000)} s`)
  process.exitCode = faults.length === 0 ? 0 : 1
}

try {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '50' },
      keep: { type: 'boolean', default: false },
      'if-possible': { type: 'boolean', default: false },
    },
  })
  const messages = Number(values.messages)
  if (!Number.isInteger(messages) || messages < 1) {
    throw new Error(`--messages: expected a positive integer, found ${values.messages}`)
  }
  const obstacle = await findObstacle()
  if (obstacle !== undefined && !values['if-possible']) throw new Error(`Expected Docker to be of use: ${obstacle}.`)
  if (obstacle === undefined) await main({ messages, keep: values.keep })
  else print(`skipped: ${obstacle}`)
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  say(usage)
  process.exitCode = 1
}
