// @ts-check
import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { connect as connectAmqp } from 'amqplib'
import pg from 'pg'

/**
 * What somebody tries, whether it is to be taken, and how else it must be answered: an error for another reason is no
 * refusal.
 * @typedef {object} Attempt
 * @property {string} what
 * @property {RegExp} answer
 * @property {() => Promise<unknown>} attempt rejects, or resolves to text, with the answer
 */

/** The answer to an attempt that is to be taken. */
const taken = /^taken$/
const timeoutMs = 5_000
/** The protocol header of AMQP 0-9-1. */
const amqpHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')

/** Has a socket end with an error when nothing comes; by itself it only tells. @template {import('node:net').Socket} T @param {T} socket */
function endWhenSilent(socket) {
  socket.once('timeout', () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  return socket
}

/** @param {string} url @param {object} [options] */
async function openAmqp(url, options = {}) {
  const connection = await connectAmqp(url, { timeout: timeoutMs, ...options })
  await connection.close()
}

/**
 * Speaks without TLS to a port.
 * @param {number} port
 * @param {Buffer | string} bytes
 * @returns {Promise<string>} what came back, and how it ended
 */
async function speakPlainly(port, bytes) {
  const socket = connectTcp({ port, host: '127.0.0.1', timeout: timeoutMs })
  /** @type {Buffer[]} */
  const received = []
  let end = 'hung up'
  socket.on('data', (data) => received.push(data))
  socket.on('timeout', () => {
    end = 'waits for more'
    socket.destroy()
  })
  socket.on('error', (/** @type {NodeJS.ErrnoException} */ { code, message }) => {
    if (code !== 'ECONNRESET') end = message
  })
  socket.write(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
  const answer = Buffer.concat(received)
  // RFC 8446, 5.1: 0x15 is the content type of an alert.
  if (answer[0] === 0x15) return `${end} after the TLS alert ${answer.toString('hex')}`
  return answer.length === 0
    ? `${end}, without a word`
    : `${end}, after the answer ${JSON.stringify(answer.toString())}`
}

/**
 * @param {number} port
 * @param {import('node:tls').ConnectionOptions} options
 * @returns {Promise<string>} the serial number of the server's certificate
 */
async function shakeHands(port, options) {
  const socket = endWhenSilent(
    connectTls({ port, host: '127.0.0.1', servername: 'localhost', timeout: timeoutMs, ...options }),
  )
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

/**
 * @param {number} port
 * @param {Buffer} ca
 * @returns {Promise<string>} the status of the opening handshake (RFC 6455, 4.2.2), and the subprotocol
 */
async function openWebSocket(port, ca) {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-protocol': 'mqtt',
  }
  const outgoing = request({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    path: '/ws',
    ca,
    headers,
    timeout: timeoutMs,
  })
  outgoing.end()
  const [answer, socket] = await once(outgoing, 'upgrade')
  socket.destroy()
  return `${answer.statusCode} ${answer.headers['sec-websocket-protocol']}`
}

/** @param {number} port @returns {Promise<import('node:net').Socket>} ready for the handshake */
async function requestPostgresTls(port) {
  const socket = endWhenSilent(connectTcp({ port, host: '127.0.0.1', timeout: timeoutMs }))
  // SSLRequest (https://www.postgresql.org/docs/current/protocol-message-formats.html)
  socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]))
  await once(socket, 'data')
  return socket
}

/**
 * @param {object} options
 * @param {string} options.certificates the authority's directory
 * @param {string} options.foreign that of another authority
 * @param {string} options.client who has a certificate in both
 * @param {string} options.brokerUrl
 * @param {(query?: string) => string} options.databaseUrl
 * @param {Record<'AMQPS_PORT' | 'MANAGEMENT_TLS_PORT' | 'REALTIME_PORT' | 'POSTGRES_PORT' | 'SMTP_PORT', number>} options.ports
 * @returns {Promise<Attempt[]>}
 */
export async function createTlsAttempts({ certificates, foreign, client, brokerUrl, databaseUrl, ports }) {
  const ca = await readFile(join(certificates, 'authority.pem'))
  const readClient = async (/** @type {string} */ directory) => ({
    cert: await readFile(join(directory, `${client}.pem`)),
    key: await readFile(join(directory, `${client}-key.pem`)),
  })
  const own = await readClient(certificates)
  const others = await readClient(foreign)
  const openDatabase = async (/** @type {string} */ query) => {
    const database = new pg.Client({ connectionString: databaseUrl(query) })
    try {
      await database.connect()
    } finally {
      await database.end()
    }
  }
  const { AMQPS_PORT, MANAGEMENT_TLS_PORT, REALTIME_PORT, POSTGRES_PORT, SMTP_PORT } = ports
  /** @type {(server: string, read: () => Promise<string>) => Promise<Attempt>} */
  const showsLatest = async (server, read) => {
    const { serialNumber } = new X509Certificate(await readFile(join(certificates, `${server}.pem`)))
    return { what: `the latest certificate of ${server}`, answer: new RegExp(`^${serialNumber}$`), attempt: read }
  }
  return [
    await showsLatest('rabbitmq', () => shakeHands(AMQPS_PORT, { ca })),
    await showsLatest('mail-catcher', () => shakeHands(SMTP_PORT, { ca })),
    await showsLatest('postgres', async () =>
      shakeHands(POSTGRES_PORT, { ca, socket: await requestPostgresTls(POSTGRES_PORT) }),
    ),
    { what: 'AMQP over TLS without a client certificate', answer: taken, attempt: () => openAmqp(brokerUrl, { ca }) },
    { what: 'AMQP over TLS 1.2', answer: taken, attempt: () => openAmqp(brokerUrl, { ca, maxVersion: 'TLSv1.2' }) },
    {
      what: 'AMQP over TLS 1.1',
      answer: /alert protocol version/,
      attempt: () =>
        shakeHands(AMQPS_PORT, { ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    },
    {
      what: 'a client certificate of the authority',
      answer: taken,
      attempt: () => openAmqp(brokerUrl, { ca, ...own }),
    },
    {
      what: 'a client certificate of another authority',
      answer: /alert unknown ca/,
      attempt: () => openAmqp(brokerUrl, { ca, ...others }),
    },
    {
      what: 'a broker by a name that is not its own',
      answer: /ERR_TLS_CERT_ALTNAME_INVALID/,
      attempt: () => openAmqp(brokerUrl, { ca, servername: 'other.example' }),
    },
    {
      what: 'plain AMQP to the port of TLS',
      answer: /^hung up after the TLS alert/,
      attempt: () => speakPlainly(AMQPS_PORT, amqpHeader),
    },
    {
      what: 'plain HTTP to the management interface',
      answer: /^hung up after the TLS alert/,
      attempt: () => speakPlainly(MANAGEMENT_TLS_PORT, 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    },
    {
      what: 'MQTT over WebSocket and TLS, as browsers come',
      answer: /^101 mqtt$/,
      attempt: () => openWebSocket(REALTIME_PORT, ca),
    },
    {
      what: 'WebSocket without TLS',
      answer: /^hung up after the TLS alert/,
      attempt: () => speakPlainly(REALTIME_PORT, 'GET /ws HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    },
    {
      what: 'PostgreSQL over TLS',
      answer: taken,
      attempt: () => openDatabase(`?sslrootcert=${certificates}/authority.pem`),
    },
    {
      what: 'plain PostgreSQL',
      answer: /28000 no pg_hba.conf entry for host .* no encryption/,
      attempt: () => openDatabase(''),
    },
    {
      what: 'plain SMTP',
      answer: /^hung up(, without a word| after the TLS alert)/,
      attempt: () => speakPlainly(SMTP_PORT, 'EHLO localhost\r\n'),
    },
  ]
}

/**
 * Tries to reach ports over the network of a container.
 * @param {(...command: string[]) => Promise<{ stdout: string }>} execute in the container
 * @param {string} host
 * @param {number} port
 * @returns {Attempt}
 */
export function createPortAttempt(execute, host, port) {
  const connect = `require('net').connect(${port}, '${host}')
    .on('connect', () => { console.log('taken'); process.exit() })
    .on('error', ({ message }) => console.log(message))`
  return {
    what: `port ${port} of ${host}, from a worker`,
    answer: /ECONNREFUSED/,
    attempt: async () => (await execute('node', '-e', connect)).stdout.trim(),
  }
}

/** @param {Attempt} attempt @returns {Promise<string>} */
export async function answerTo({ attempt }) {
  try {
    const answer = await attempt()
    return typeof answer === 'string' ? answer : 'taken'
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
    return [code, message.trim()].filter(Boolean).join(' ')
  }
}
