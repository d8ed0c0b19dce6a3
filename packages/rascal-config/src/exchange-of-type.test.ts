import { messageTypes } from '@mono/contracts'
import { expect, it } from 'vitest'
import { exchangeOfType } from './exchange-of-type.js'

it('knows the exchange of each message type', () => {
  expect(Object.fromEntries(messageTypes.map((type) => [type, exchangeOfType(type)]))).toEqual({
    'chat.message': 'messages',
    'push.notification': 'notifications',
    'email.notification': 'notifications',
    'email.message': 'notifications',
    'audit.event': 'audit',
  })
})
