import { examples, type PushNotification } from '@mono/contracts'
import {
  test as base,
  migrate,
  type PushDevice,
  type PushService,
  type TestFixtures,
  type WorkerProcess,
  waitFor,
} from '@mono/test-support'
import {
  createFcmService,
  createPushService,
  type FcmDevice,
  type FcmService,
  type FcmServiceOptions,
  type PushServiceOptions,
} from '@mono/test-support/sinks'
import type { TestAPI } from 'vitest'
import webPush from 'web-push'
import { type ApnsFarEnd, type ApnsFarEndOptions, createApnsFarEnd } from './apns-far-end.js'
import { createPushEnvironment } from './push-environment.js'
import { type Registration, registerDevice } from './register-device.js'

export interface Delivery {
  state: string
  last_code: string | null
  last_reason: string | null
  attempts: number
  provider_id: string | null
}

export interface DeviceState {
  disabled_reason: string | null
}

export interface PushSetup {
  /** Another push service, which the worker trusts and may send to; before it is started. */
  createService(options?: PushServiceOptions): Promise<PushService>
  /** FCM, which the worker uses; before it is started. */
  createFcm(options?: FcmServiceOptions): Promise<FcmService>
  /** Starts a worker and waits until it is ready. */
  startWorker(env?: Record<string, string>): Promise<WorkerProcess>
  /** A user with this device; resolves with the device's id. */
  register(device: PushDevice | FcmDevice, registration?: Partial<Registration>): Promise<string>
  /** Apple's servers, which the worker trusts and sends to; before it is started. */
  createApns(options?: ApnsFarEndOptions): Promise<ApnsFarEnd>
  /** A user with an Apple device that has this token; resolves with the device's id. */
  registerApns(token: string, registration?: Partial<Registration>): Promise<string>
  /** Publishes a notification. */
  send(messageId: string, userIds: string[], fields?: Partial<PushNotification>, routingKey?: string): Promise<void>
  delivery(messageId: string, deviceId: string): Promise<Delivery | undefined>
  /** Waits until the ledger says so of the device. */
  untilDelivery(messageId: string, deviceId: string, expected: Partial<Delivery>): Promise<Delivery>
  device(deviceId: string): Promise<DeviceState | undefined>
}

export interface PushFixtures extends TestFixtures {
  push: PushSetup
}

/** `test` with a migrated database and what a push worker needs. */
export const test: TestAPI<PushFixtures> = base.extend<{ push: PushSetup }>({
  push: async ({ vhost, database, workers, cleanUp }, use) => {
    await migrate('push-worker', database.url)
    await use(createPushSetup({ vhost, database, workers, cleanUp }))
  },
}) as TestAPI<PushFixtures>

type Needed = Pick<TestFixtures, 'vhost' | 'database' | 'workers' | 'cleanUp'>

export function createPushSetup({ vhost, database, workers, cleanUp }: Needed): PushSetup {
  const keys = webPush.generateVAPIDKeys()
  const services: PushService[] = []
  let fcm: FcmService | undefined
  let apns: ApnsFarEnd | undefined

  async function delivery(messageId: string, deviceId: string): Promise<Delivery | undefined> {
    const sql =
      'SELECT state, last_code, last_reason, attempts, provider_id FROM push.deliveries WHERE message_id = $1 AND device_id = $2'
    return (await database.query<Delivery & Record<string, unknown>>(sql, [messageId, deviceId]))[0]
  }

  return {
    delivery,
    async createService(options = {}) {
      const service = await createPushService({ vapidPublicKey: keys.publicKey, ...options })
      services.push(service)
      cleanUp(() => service.close())
      return service
    },
    async createFcm(options = {}) {
      const service = await createFcmService(options)
      fcm = service
      cleanUp(() => service.close())
      return service
    },
    async createApns(options) {
      apns = await createApnsFarEnd(cleanUp, options)
      return apns
    },
    async startWorker(env = {}) {
      const worker = workers.spawn('push-worker', {
        RABBITMQ_URL: vhost.url,
        DATABASE_URL: database.url,
        ...createPushEnvironment({ services, fcm, apns, keys, cleanUp }),
        ...env,
      })
      await worker.ready()
      return worker
    },
    async register(device, registration = {}) {
      return await registerDevice(database, { ...toRegistration(device), ...registration })
    },
    async registerApns(token, registration = {}) {
      return await registerDevice(database, { channel: 'apns', address: token, ...registration })
    },
    async send(messageId, recipientIds, fields = {}, routingKey = 'push.all') {
      const notification = { ...examples['push.notification'], recipientIds, ...fields }
      await vhost.publish('notifications', routingKey, notification, { messageId })
    },
    async untilDelivery(messageId, deviceId, expected) {
      const isExpected = (found: Delivery | undefined): found is Delivery =>
        found !== undefined && Object.entries(expected).every(([key, value]) => found[key as keyof Delivery] === value)
      let last: Delivery | undefined
      return await waitFor(
        async () => {
          last = await delivery(messageId, deviceId)
          return isExpected(last) && last
        },
        { what: `${messageId} on device ${deviceId} to be ${JSON.stringify(expected)}`, timeoutMs: 30_000 },
      ).catch((error: unknown) => {
        throw new Error(`Found ${JSON.stringify(last)}`, { cause: error })
      })
    },
    async device(deviceId) {
      const sql = 'SELECT disabled_reason FROM push.devices WHERE id = $1'
      return (await database.query<DeviceState & Record<string, unknown>>(sql, [deviceId]))[0]
    },
  }
}

function toRegistration(device: PushDevice | FcmDevice): Registration {
  if ('addressKind' in device) return { channel: 'fcm', ...device }
  const { endpoint, p256dh, auth } = device
  return { channel: 'web', address: endpoint, p256dh, auth }
}
