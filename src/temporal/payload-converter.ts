import {
  DefaultPayloadConverter,
  type ConverterHint,
  type Payload,
  type SerializationContext,
} from '@temporalio/common';
import { undecodable } from '../onboard/undecodable';

class TolerantPayloadConverter extends DefaultPayloadConverter {
  override fromPayload<T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T {
    try {
      return super.fromPayload(payload, context, hint);
    } catch (error) {
      return undecodable(error instanceof Error ? error.message : String(error)) as T;
    }
  }
}

/** Temporal's own converter, except that it never throws on a payload that it cannot read: see `undecodable`. */
export const payloadConverter = new TolerantPayloadConverter();
