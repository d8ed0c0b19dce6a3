import { expect, test } from 'vitest'
import { findIncompleteFault } from './find-incomplete-fault.js'

test('all set is no fault, and none set is none', () => {
  expect(findIncompleteFault({ USER_NAME: 'ada', USER_AGE: 0 })).toBeUndefined()
  expect(findIncompleteFault({ USER_NAME: undefined, USER_AGE: undefined })).toBeUndefined()
})

test('a fault names all that belong together, and what is missing', () => {
  expect(findIncompleteFault({ USER_NAME: 'ada', USER_AGE: undefined, USER_ROLE: undefined })).toEqual({
    name: 'USER_AGE',
    expected: 'all of USER_NAME, USER_AGE, USER_ROLE, or none',
    found: 'nothing for USER_AGE, USER_ROLE',
  })
})
