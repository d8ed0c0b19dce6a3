import { randomBytes } from 'node:crypto'
import type { TestFixtures, TestVhost } from '@mono/test-support'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'

export interface RawBrowser {
  /** `connected`, or `refused`, with or without a word. */
  answer: string
  client: MqttClient
  /** Topics of what came. */
  heard: string[]
  /** Resolves with what the broker does: `granted`, or `closed the connection`. */
  subscribe(topic: string, qos?: 0 | 1): Promise<string>
  /** `done` when the broker has confirmed it. */
  publish(topic: string, options: { qos: 0 | 1; retain?: boolean }): Promise<string>
  /** Ends as a browser does that is closed, or, with `abruptly`, as one that is gone: then a last will is due. */
  end(options?: { abruptly: boolean }): Promise<void>
}

export interface RawBrowserOptions {
  url: string
  vhost: TestVhost
  /** Undefined: none. */
  token: string | undefined
  /** The first part of the client id. */
  subject: string
  /** Default: by chance. */
  clientId?: string
  options?: IClientOptions
}

/** Speaks MQTT to the broker without this project's client, which would not try what is tried here. */
export async function openRawBrowser(
  { url, vhost, token, subject, clientId, options }: RawBrowserOptions,
  { cleanUp }: Pick<TestFixtures, 'cleanUp'>,
): Promise<RawBrowser> {
  const client = mqtt.connect(url, {
    protocolVersion: 4,
    clean: true,
    clientId: clientId ?? `${subject}.${randomBytes(16).toString('base64url')}`,
    // RabbitMQ takes the vhost from it (https://www.rabbitmq.com/docs/mqtt#virtual-hosts), and the user from the token.
    username: `${vhost.name}:`,
    ...(token !== undefined && { password: token }),
    reconnectPeriod: 0,
    ...options,
  })
  const heard: string[] = []
  let isClosed = false
  client.on('message', (topic) => heard.push(topic))
  client.on('error', () => {})
  const closed = new Promise<string>((resolve) => {
    client.once('close', () => {
      isClosed = true
      resolve('closed the connection')
    })
  })
  cleanUp(() => end({ abruptly: true }))

  async function end({ abruptly = false } = {}): Promise<void> {
    if (!isClosed) await client.endAsync(abruptly)
  }

  const opened = new Promise<string>((resolve) => {
    client.once('connect', () => resolve('connected'))
    client.once('error', ({ message }) => resolve(`refused: ${message}`))
  })
  const answer = await Promise.race([opened, closed.then(() => 'refused without a word')])
  return {
    answer,
    client,
    heard,
    end,
    async subscribe(topic, qos = 0) {
      const granted = client
        .subscribeAsync(topic, { qos })
        .then(([grant]) => (grant?.qos === 128 ? 'failure' : 'granted'))
      return await Promise.race([closed, granted.catch(() => closed)])
    },
    async publish(topic, { qos, retain = false }) {
      const confirmed = client.publishAsync(topic, 'from a browser', { qos, retain }).then(() => 'done')
      // The broker confirms nothing of QoS 0: a message is done if the connection is still there after a subscription.
      const done = qos === 1 ? confirmed : confirmed.then(() => client.unsubscribeAsync('nothing')).then(() => 'done')
      return await Promise.race([closed, done.catch(() => closed)])
    },
  }
}
