import { createRequire } from 'node:module'
import * as client from '@mono/message-queue'
import { messageQueue, RetryableError } from '@mono/message-queue'
import roundTrip from './round-trip.cjs'

const required = createRequire(import.meta.url)('@mono/message-queue')
const isOne = required.messageQueue === messageQueue && required.RetryableError === RetryableError
process.stdout.write(JSON.stringify({ ...(await roundTrip(client)), isOne }))
