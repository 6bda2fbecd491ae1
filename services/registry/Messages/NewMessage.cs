namespace Millrace.Registry.Messages;

/// <summary>A message to a device, as it is asked for.</summary>
/// <param name="Body">The body as text; or else <paramref name="BodyBase64"/>.</param>
/// <param name="Topic">What follows <c>devices/{id}/</c>.</param>
/// <param name="Qos">0, 1 or 2; a subscription of a lower QoS lowers it.</param>
/// <param name="MessageId">Made when it is left out.</param>
/// <param name="ExpiresInSeconds">After that the message is not delivered any more.</param>
public sealed record NewMessage(
    string? Body = null, string? BodyBase64 = null, string? Topic = null, int Qos = 1, string? ContentType = null,
    string? MessageId = null, string? CorrelationId = null, IReadOnlyDictionary<string, string?>? Properties = null,
    long? ExpiresInSeconds = null);

/// <summary>A message that is on its way: durable, and not necessarily delivered yet.</summary>
public sealed record SentMessage(string MessageId, string Topic, DateTimeOffset? ExpiresAt);
