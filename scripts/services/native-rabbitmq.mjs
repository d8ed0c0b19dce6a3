// @ts-check

import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { explainFailure } from '../describe-failure.mjs'
import { environment } from '../environment.mjs'
import { instanceName, localDirectory, rootDirectory } from './paths.mjs'
import { probeAmqp } from './probe-amqp.mjs'
import {
  endingWithParent,
  findCommand,
  findInstanceProcesses,
  instanceVariable,
  isExecutable,
  run,
  signalProcess,
  spawnDetached,
  waitForExit,
} from './processes.mjs'
import { waitUntilReady } from './wait-until-ready.mjs'

/**
 * @typedef {object} BrokerPorts
 * @property {number} amqp
 * @property {number} management
 * @property {number} metrics
 * @property {number} realtime MQTT over WebSocket, for browsers
 * @property {number} distribution Erlang's, between nodes and command line tools
 * @property {number} epmd
 */

/** The package's own binaries: its wrappers in /usr/sbin insist on the user and the directories of the system's broker. */
const binaries = '/usr/lib/rabbitmq/bin'
const directory = join(localDirectory, 'rabbitmq')
/** What compose mounts. */
const shippedDirectory = join(rootDirectory, 'docker/rabbitmq')
const publicKeys = join(directory, 'realtime')
/** The private key of development, with which tokens for browsers are made. */
export const realtimeKeyFile = join(directory, 'realtime-key.pem')
const startLimitMs = 90_000

const brokerUser = { name: 'admin', password: 'admin123' }
const vhost = 'mono'

export const isRabbitmqInstalled = () => isExecutable(join(binaries, 'rabbitmq-server'))

/** @param {Pick<BrokerPorts, 'amqp'>} ports */
export const brokerUrl = ({ amqp }) => `amqp://${brokerUser.name}:${brokerUser.password}@127.0.0.1:${amqp}/${vhost}`

/**
 * The environment of node and command line tools. Nothing of the caller's RABBITMQ_* gets in, and HOME, where Erlang
 * keeps its cookie, is the instance's own.
 * @param {BrokerPorts} ports
 * @returns {NodeJS.ProcessEnv}
 */
function brokerEnvironment(ports) {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  return {
    PATH: environment.PATH,
    LANG: 'C.UTF-8',
    HOME: join(directory, 'home'),
    [instanceVariable]: instanceName,
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_CRASH_DUMP: join(directory, 'log/erl_crash.dump'),
    RABBITMQ_CONF_ENV_FILE: join(directory, 'rabbitmq-env.conf'),
    RABBITMQ_NODENAME: 'mono@localhost',
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(shippedDirectory, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_PID_FILE: join(directory, 'rabbit.pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${loopback} -mono_instance ${instanceName}`,
    RABBITMQ_CTL_ERL_ARGS: loopback,
    // Ignore SIGINT, at which Erlang would end at once and uncleanly.
    RABBITMQ_SERVER_START_ARGS: '+B i',
    // The start script replaces itself by the Erlang machine, so that its pid is the one to watch and to signal.
    RUNNING_UNDER_SYSTEMD: 'true',
  }
}

/**
 * The settings that compose mounts, with what a private instance needs instead.
 * @param {BrokerPorts} ports
 */
function renderConfig(ports) {
  const shared = ['rabbitmq.conf', 'realtime.conf']
    .map((file) => readFileSync(join(shippedDirectory, file), 'utf8'))
    .join('\n')
  const settings = new Map(
    shared.split('\n').flatMap((line) => {
      const [key, ...value] = line.replace(/#.*/, '').split('=')
      return key?.trim() && value.length > 0 ? [[key.trim(), value.join('=').trim()]] : []
    }),
  )
  for (const key of settings.keys())
    if (/^(listeners|management|prometheus|log|vm_memory|auth_oauth2\.signing_keys)/.test(key)) settings.delete(key)
  return [
    ...[...settings].map(([key, value]) => `${key} = ${value}`),
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${ports.management}`,
    'prometheus.tcp.ip = 127.0.0.1',
    `prometheus.tcp.port = ${ports.metrics}`,
    `web_mqtt.tcp.listener = 127.0.0.1:${ports.realtime}`,
    ...['app', 'next'].map((key) => `auth_oauth2.signing_keys.${key} = ${join(publicKeys, `${key}.pem`)}`),
    `load_definitions = ${join(directory, 'definitions.json')}`,
    'vm_memory_high_watermark.absolute = 1GiB',
    'log.file = rabbit.log',
    'log.console = false',
    '',
  ].join('\n')
}

/** @param {BrokerPorts} ports */
function writeFiles(ports) {
  for (const part of ['home', 'mnesia', 'log']) mkdirSync(join(directory, part), { recursive: true, mode: 0o700 })
  const { name, password } = brokerUser
  const rights = { configure: '.*', write: '.*', read: '.*' }
  writeFileSync(join(directory, 'rabbitmq-env.conf'), '')
  copyFileSync(join(shippedDirectory, 'enabled_plugins'), join(directory, 'enabled_plugins'))
  writeFileSync(join(directory, 'rabbitmq.conf'), renderConfig(ports))
  writeFileSync(
    join(directory, 'definitions.json'),
    JSON.stringify({
      users: [{ name, password, tags: ['administrator'] }],
      vhosts: [{ name: vhost }],
      permissions: [{ user: name, vhost, ...rights }],
    }),
    { mode: 0o600 },
  )
}

/** @param {NodeJS.ProcessEnv} env */
async function makeRealtimeKeys(env) {
  const keys = await run('escript', [join(shippedDirectory, 'realtime-keys.escript'), publicKeys, realtimeKeyFile], {
    env,
  })
  if (keys.code !== 0) throw explainFailure('the keys of realtime tokens could not be made', keys.stderr)
}

function readLog() {
  const file = join(directory, 'log/server.out')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/**
 * Starts the private broker and waits until one can log in: by then its definitions are in.
 * @param {BrokerPorts} ports
 * @param {{ endWithParent: boolean }} options
 */
export async function startRabbitmq(ports, { endWithParent }) {
  writeFiles(ports)
  const env = brokerEnvironment(ports)
  await makeRealtimeKeys(env)
  const output = openSync(join(directory, 'log/server.out'), 'w')
  /** @type {import('node:child_process').SpawnOptions & { endWithParent?: NodeJS.Signals | undefined }} */
  const options = {
    env,
    cwd: directory,
    stdio: ['ignore', output, output],
    endWithParent: endWithParent ? 'SIGTERM' : undefined,
  }
  try {
    // An epmd of its own: the node would start one as a daemon, which would outlive it.
    const epmd = spawnDetached(
      findCommand('epmd') ?? '/usr/bin/epmd',
      ['-address', '127.0.0.1', '-port', env.ERL_EPMD_PORT ?? ''],
      options,
    )
    epmd.on('error', () => {})
    epmd.unref()
    const node = spawnDetached(join(binaries, 'rabbitmq-server'), [], options)
    /** @type {string | undefined} */
    let ended
    node.on('error', (error) => {
      ended = error.message
    })
    node.on('exit', (code, signal) => {
      ended = `it ended with ${signal ?? `code ${code}`}`
    })
    node.unref()
    const fault = await waitUntilReady(() => probeAmqp(brokerUrl(ports), 2000), {
      timeoutMs: startLimitMs,
      ended: () => ended,
    })
    if (fault !== undefined) {
      await stopRabbitmq(ports)
      throw explainFailure(`RabbitMQ did not start (${fault})`, readLog(), join(directory, 'log'))
    }
  } finally {
    closeSync(output)
  }
}

/**
 * What to type in place of `rabbitmqctl` for the private broker.
 * @param {BrokerPorts} ports
 */
export function describeRabbitmqctl(ports) {
  const { HOME, ERL_EPMD_PORT, RABBITMQ_NODENAME } = brokerEnvironment(ports)
  // Not the one on the PATH: as root it becomes another user, without these variables.
  return `HOME=${HOME} ERL_EPMD_PORT=${ERL_EPMD_PORT} RABBITMQ_NODENAME=${RABBITMQ_NODENAME} ${join(binaries, 'rabbitmqctl')}`
}

/**
 * Runs a command of `rabbitmqctl` on the private broker.
 * @param {BrokerPorts} ports
 * @param {string[]} command
 * @param {{ timeoutSeconds: number }} options
 */
export function runRabbitmqctl(ports, command, { timeoutSeconds }) {
  const ctl = join(binaries, 'rabbitmqctl')
  // Left alone by a second Ctrl-C, it would start an epmd that nobody ends.
  const [file, args] = endingWithParent(ctl, ['-q', '--timeout', String(timeoutSeconds), ...command], 'SIGKILL')
  return run(file, args, { env: brokerEnvironment(ports), cwd: directory, timeout: (timeoutSeconds + 3) * 1000 })
}

/** @returns {import('./processes.mjs').ProcessId | undefined} */
export function findRunningRabbitmq() {
  return findInstanceProcesses(instanceName).find(({ command }) => command === 'beam.smp')
}

/**
 * Stops the private broker and all that belongs to it. Cleanly and fast: five of the six seconds that SIGTERM takes
 * are the management plugin's event handler, so that goes first.
 * @param {BrokerPorts | undefined} ports
 */
export async function stopRabbitmq(ports) {
  const node = findRunningRabbitmq()
  if (node) {
    signalProcess(node, 'SIGCONT')
    if (ports) {
      const expression = 'gen_event:delete_handler(rabbit_event, rabbit_mgmt_db_handler, []), init:stop().'
      await runRabbitmqctl(ports, ['eval', expression], { timeoutSeconds: 5 })
    }
    if (!ports || !(await waitForExit(node, 3000))) {
      signalProcess(node, 'SIGTERM')
      if (!(await waitForExit(node, 12_000))) signalProcess(node, 'SIGKILL')
      await waitForExit(node, 2000)
    }
  }
  // What is left: epmd, and the start script of a node that was not there yet.
  const rest = findInstanceProcesses(instanceName).filter(({ command }) => command !== 'postgres')
  for (const id of rest) signalProcess(id, 'SIGTERM')
  for (const id of rest) if (!(await waitForExit(id, 3000))) signalProcess(id, 'SIGKILL')
}
