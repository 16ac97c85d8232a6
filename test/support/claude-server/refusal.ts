/** Why a request is refused, as the API would say it. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

export function invalid(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', message };
}

/** The one shape of an error body. */
export function errorBody(refusal: Pick<Refusal, 'type' | 'message'>, requestId: string, details?: object) {
  const { type, message } = refusal;
  return {
    type: 'error',
    error: { type, message, ...(details === undefined ? {} : { details }) },
    request_id: requestId,
  };
}
