import { expect, test } from 'vitest'
import { isRefusal } from './is-refusal.js'

test.each([
  Object.assign(new Error('Channel closed by server: 404 (NOT-FOUND)'), { code: 404 }),
  Object.assign(new Error('Connection closed: 403 (ACCESS-REFUSED)'), { code: 403 }),
  new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"'),
  new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'),
])('the broker is there and says no: %o', (error) => {
  expect(isRefusal(error)).toBe(true)
})

test.each([
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5672'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error("Connection closed: 320 (CONNECTION-FORCED) with message 'broker forced connection'"), {
    code: 320,
  }),
  new Error('Heartbeat timeout'),
  new Error('Socket closed abruptly during opening handshake'),
])('the broker is away, or about to be: %o', (error) => {
  expect(isRefusal(error)).toBe(false)
})
