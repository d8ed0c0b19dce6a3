import type { ApnsService, FcmService, MailgunService, PushService, ReceivedMail, SmtpSink } from './sinks/index.js'

/**
 * What the tools of this repository and the worker's own tests need to know of a worker: how to run it, what to send it,
 * and how to see what it has done. `Client` is the client that sends.
 */
export interface WorkerDescription<Client> {
  /** Its directory in `apps`. */
  name: string
  queue: string
  exchange: string
  routingKey: string
  /** Where its health and metrics are. */
  httpPort: number
  /** The variables that it needs beside RABBITMQ_URL and DATABASE_URL. */
  createEnvironment?(farEnds: FarEndAddresses): Record<string, string>
  /** The payload of the valid message with this number. Its effect can be found by the message id. */
  createPayload(index: number, messageId: string): object
  // biome-ignore lint/suspicious/noExplicitAny: a payload of `createPayload`; no list of workers could have one type for all
  send(client: Client, payload: any, messageId: string): Promise<unknown>
  /** The conversation of the message with this number: what is sent to it one by one has its effects in this order. */
  conversationOf?(index: number): string
  /** Every effect that its messages have had, those that came twice twice. */
  readEffects(sources: EffectSources): Promise<Effect[]>
  /** It sees all effects, whatever id and recipient a message has. Default: only those of its own kind of messages. */
  seesAllEffects?: boolean
  /** What is wrong with the effects as a whole. Default: nothing can be. */
  findFaults?(sources: Pick<EffectSources, 'query'>): Promise<string[]>
  /** Sends a message such as an application does, and says in what its effects can be seen. */
  sendExample(stage: ExampleStage<Client>): Promise<Example>
}

/** Where the push services and a mail server are. */
export interface FarEndAddresses {
  pushPort: number
  /** The push services', for NODE_EXTRA_CA_CERTS. */
  certificateFile: string
  /** The settings of FCM and APNs. Default: both are off. */
  phones?: Record<string, string>
  vapid: { publicKey: string; privateKey: string }
  smtpUrl: string
  /** The settings of Mailgun. Default: mails do not go by it. */
  mailgun?: Record<string, string>
}

export interface EffectSources {
  // biome-ignore lint/suspicious/noExplicitAny: rows of whatever was asked for
  query(sql: string, params?: unknown[]): Promise<any[]>
  /** What the push service has decrypted. */
  listPushes(): Promise<{ tag: string; at: number }[]>
  /** What the mail server has taken. */
  listMails(): Promise<Pick<ReceivedMail, 'subject' | 'at'>[]>
}

export interface Effect {
  /** Of the message. */
  id: string
  /** In milliseconds since 1970. */
  at: number
  /** Its place in its conversation, if it has one. */
  sequence?: number
}

export interface ExampleStage<Client> extends Pick<EffectSources, 'query'> {
  messageQueue: Client
  pushService: PushService
  fcmService: FcmService
  apnsService: ApnsService
  mailCatcher: SmtpSink
  mailgunService: MailgunService
  /** The page that shows what the mail catcher and Mailgun have. */
  mailPage: string
  /** With a queue of its own, as an application would. */
  subscribe(exchange: string, bindingKey: string): Promise<LiveMessages>
  /**
   * As a page in a browser, which is live when it resolves. Undefined: this broker has nothing for browsers.
   */
  hear?: ((conversationId: string) => Promise<HeardMessages>) | undefined
}

export interface HeardMessages {
  /** The sequence of the message, once it is there. */
  find(messageId: string): number | undefined
}

export interface LiveMessages {
  /** The routing key of the message that is wanted, once it is there. */
  find(wanted: (body: Record<string, unknown>) => boolean): string | undefined
}

export interface Example {
  sent: string
  effects: ExampleEffect[]
  /** Called when the effects are there, or their time is up. */
  end?(): Promise<void>
  /** Sends another example, after the end of this one. */
  sendNext?(): Promise<Example>
}

export interface ExampleEffect {
  where: string
  /** What is there; undefined as long as nothing is. */
  read(): Promise<string | undefined>
}
