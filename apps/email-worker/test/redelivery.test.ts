import { describeRedelivery } from '@mono/test-support'
import { emailWorker } from './worker-under-test.js'

describeRedelivery(emailWorker)
