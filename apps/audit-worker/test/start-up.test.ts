import { describeDefinitions, describeEnvironment, describeStartUp } from '@mono/test-support'
import { auditWorker } from './worker-under-test.js'

describeEnvironment(auditWorker)
describeStartUp(auditWorker)
describeDefinitions(auditWorker)
