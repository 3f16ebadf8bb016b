/** Counts how metric sources answer, on the way of the requests that the collector sends; it changes nothing about them. */
import type { Dispatcher } from 'undici';
import type { PollResult } from '../insight/metrics.ts';

type Handler = Dispatcher.DispatchHandler;

/** The same dispatcher, telling `onPoll` the origin and the outcome of each request. */
export function countingPolls(
  dispatcher: Dispatcher,
  onPoll: (origin: string, result: PollResult) => void,
): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => {
    const origin = String(options.origin ?? '');
    return dispatch(
      options,
      counting(handler, (result) => onPoll(origin, result)),
    );
  });
}

function counting(handler: Handler, onResult: (result: PollResult) => void): Handler {
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (controller, status, headers, socket) =>
      handler.onRequestUpgrade?.(controller, status, headers, socket),
    onResponseStart: (controller, status, headers, words) => {
      onResult(status >= 200 && status < 300 ? 'answered' : 'refused');
      handler.onResponseStart?.(controller, status, headers, words);
    },
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError: (controller, error) => {
      onResult('failed');
      handler.onResponseError?.(controller, error);
    },
  };
}
