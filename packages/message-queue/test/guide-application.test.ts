import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@mono/test-support'
import { afterAll, beforeAll, expect } from 'vitest'
import { compileProject } from './support/compile-project.js'
import { readFiles } from './support/read-snippets.js'

const parent = fileURLToPath(new URL('../test-results/', import.meta.url))
let directory = ''
let compilerErrors = ''

/** What the guide takes for given. */
const given = `
interface NotificationData {
  title: string
  body: string
  data: Record<string, any>
  tenantId: number
  sendEmail?: boolean
}
declare function getUserEmails(userIds: string[]): Promise<string[]>
declare const db: { message: { create(row: { data: ChatMessage }): Promise<ChatMessage> } }
declare function processChatMessage(message: ChatMessage): Promise<void>
declare function broadcastToConnectedUsers(message: ChatMessage): Promise<void>
declare function sendPushNotification(notification: PushNotification): Promise<void>
declare function sendEmailNotification(notification: EmailNotification): Promise<void>
declare function storeAuditEvent(event: AuditEvent): Promise<void>
`

/** Consumes and sends with the guide's own functions, says what was done with which message, and ends by SIGTERM. */
const main = `
import { messageQueue } from './services/message-queue.service.js'

const say = (name: string) => async (message: object) => void process.send?.([name, message])
Object.assign(globalThis, {
  processChatMessage: say('processChatMessage'),
  broadcastToConnectedUsers: say('broadcastToConnectedUsers'),
  sendPushNotification: say('sendPushNotification'),
  sendEmailNotification: say('sendEmailNotification'),
  storeAuditEvent: say('storeAuditEvent'),
  getUserEmails: async (ids: string[]) => ids.map((id) => id + '@example.com'),
  db: { message: { create: async ({ data }: { data: ChatMessage }) => data } },
})
process.once('SIGTERM', () => void messageQueue.drain())
await messageQueue.connect()
await import('./consumers/consumers.js')
const { trackUserAction } = await import('./integrations/audit.js')
const { sendChatMessage } = await import('./integrations/chat.js')
const { notifyUsers } = await import('./integrations/notifications.js')
await trackUserAction('user_123', 1, 'USER_UPDATED', 'User', 'user_456', { email: 'new@example.com' })
await sendChatMessage({
  messageId: 'msg_123',
  conversationId: 'conv_456',
  senderId: 'user_789',
  tenantId: 1,
  content: 'Hello world!',
  messageType: 'text',
  timestamp: new Date(),
})
const data = { conversationId: 'conv_789' }
await notifyUsers(['user_123'], { title: 'New Message', body: 'From John', data, tenantId: 1, sendEmail: true })
`

beforeAll(async () => {
  await mkdir(parent, { recursive: true })
  directory = await mkdtemp(`${parent}guide-`)
  const files = [
    ...readFiles('packages/message-queue/README.md'),
    ...readFiles('packages/message-queue/test/support/guide-application.md'),
    { path: 'src/given.d.ts', text: given },
    { path: 'src/main.ts', text: main },
    { path: 'package.json', text: '{ "type": "module" }' },
  ]
  for (const { path, text } of files) {
    await mkdir(dirname(`${directory}/${path}`), { recursive: true })
    await writeFile(`${directory}/${path}`, text)
  }
  compilerErrors = await compileProject(directory, ['src'])
}, 60_000)

afterAll(async () => {
  if (directory !== '') await rm(directory, { recursive: true })
})

test('what the guide writes compiles', () => {
  expect(compilerErrors).toBe('')
})

test('both pages show the same file for it', () => {
  expect(readFiles('README.md')).toEqual(readFiles('packages/message-queue/README.md'))
})

test('the consumers of the guide are given what its functions send, and the process ends', async ({
  vhost,
  cleanUp,
}) => {
  await vhost.importDefinitions()
  const child = fork(`${directory}/dist/src/main.js`, { env: { RABBITMQ_URL: vhost.url }, silent: true })
  const closed = once(child, 'close')
  cleanUp(async () => {
    child.kill('SIGKILL')
    await closed
  })
  let stderr = ''
  child.stderr?.on('data', (data) => {
    stderr += data
  })
  const done = new Map<string, unknown>()
  const allDone = new Promise<void>((resolve) => {
    child.on('message', ([name, message]: [string, unknown]) => {
      done.set(name, message)
      if (done.size === 5) resolve()
    })
  })
  await Promise.race([allDone, closed])
  child.kill('SIGTERM')
  expect([await closed, stderr]).toEqual([[0, null], ''])
  expect(Object.fromEntries(done)).toMatchObject({
    processChatMessage: { messageId: 'msg_123', messageType: 'text' },
    broadcastToConnectedUsers: { messageId: 'msg_123' },
    sendPushNotification: { recipientIds: ['user_123'], title: 'New Message' },
    sendEmailNotification: { to: ['user_123@example.com'], template: 'notification' },
    storeAuditEvent: { eventType: 'USER_UPDATED', changes: { email: 'new@example.com' } },
  })
})
