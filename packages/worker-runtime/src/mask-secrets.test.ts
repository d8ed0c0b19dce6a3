import { describe, expect, test } from 'vitest'
import { maskSecrets, maskUrlPasswords } from './mask-secrets.js'

describe('maskUrlPasswords', () => {
  test.each([
    ['amqp://admin:admin123@localhost:5672/mono', 'amqp://admin:[redacted]@localhost:5672/mono'],
    ['amqp://a:x@h1,amqp://b:y@h2', 'amqp://a:[redacted]@h1,amqp://b:[redacted]@h2'],
    ['connecting to postgres://u:p%40ss@db/mono failed', 'connecting to postgres://u:[redacted]@db/mono failed'],
    ['smtp://u:with@sign@mail', 'smtp://u:[redacted]@mail'],
    ['redis://:only-password@cache', 'redis://:[redacted]@cache'],
  ])('hides the password of %s', (text, masked) => {
    expect(maskUrlPasswords(text)).toBe(masked)
  })

  test.each(['http://localhost:9104/readyz', 'http://host:80/a@b', 'amqp://[::1]:5672/mono', 'no url: at@all'])(
    'leaves %s alone',
    (text) => {
      expect(maskUrlPasswords(text)).toBe(text)
    },
  )
})

describe('maskSecrets', () => {
  test.each(['jane.doe+x@mail.example.org', 'zoë@müller.example', '你好@例え.テスト', 'ada@xn--r8jz45g.xn--zckzah'])(
    'hides the mail address %s as well',
    (address) => {
      expect(maskSecrets(`550 <${address}> unknown`)).toBe('550 <[address]> unknown')
    },
  )

  test('leaves package versions in a stack trace alone', () => {
    const frame = 'at run (/app/node_modules/.store/pg@8.23.1/lib/client.js:1:2)'
    expect(maskSecrets(frame)).toBe(frame)
  })
})
