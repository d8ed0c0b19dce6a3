import { describe, expect, test } from 'vitest'
import { InvalidMessageError } from './index.js'

function createIssues(count: number): { path: string; reason: string }[] {
  return Array.from({ length: count }, (_, index) => ({ path: `to[${index}]`, reason: 'expected another' }))
}

describe('InvalidMessageError', () => {
  test('carries the message type, a code and every fault', () => {
    const issues = [
      { path: 'tenantId', reason: 'expected an integer' },
      { path: '', reason: 'expected less' },
    ]
    const error = new InvalidMessageError('audit.event', issues)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'InvalidMessageError',
      code: 'INVALID_MESSAGE',
      messageType: 'audit.event',
      issues,
      message: 'Invalid audit.event: tenantId: expected an integer; expected less',
    })
  })

  test('lists 20 faults in its message and counts the others', () => {
    expect(new InvalidMessageError('email.message', createIssues(20)).message).not.toContain('more')
    const error = new InvalidMessageError('email.message', createIssues(21))
    expect(error.message).toContain('to[19]: expected another; and 1 more')
    expect(error.message).not.toContain('to[20]')
    expect(error.issues).toHaveLength(21)
  })

  test('ends its message with advice, if there is any', () => {
    const error = new InvalidMessageError('email.message', createIssues(1), 'Do something else.')
    expect(error.message).toBe('Invalid email.message: to[0]: expected another. Do something else.')
  })
})
