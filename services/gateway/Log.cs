using Microsoft.Extensions.Logging;

namespace Millrace.Gateway;

internal static partial class Log
{
    [LoggerMessage(4000, LogLevel.Information, "MQTT listens on {Endpoint}")]
    public static partial void MqttListens(this ILogger log, string endpoint);

    [LoggerMessage(4001, LogLevel.Information, "The gateway drains {Connections} connections")]
    public static partial void Draining(this ILogger log, int connections);

    [LoggerMessage(4002, LogLevel.Warning, "{Connections} connections were still open after {Timeout} and are cut off")]
    public static partial void DrainTimedOut(this ILogger log, int connections, TimeSpan timeout);

    [LoggerMessage(4003, LogLevel.Error, "No connection can be accepted for now: {Cause}")]
    public static partial void AcceptFails(this ILogger log, string cause);

    [LoggerMessage(4004, LogLevel.Information,
        "A renewed certificate is shown from now on: {Subject}, valid to {End:u}")]
    public static partial void CertificateRenewed(this ILogger log, string subject, DateTime end);

    [LoggerMessage(4005, LogLevel.Error, "{Code}: a renewed certificate is not used, the former stays: {Cause}")]
    public static partial void CertificateNotRenewed(this ILogger log, string code, string cause);

    [LoggerMessage(4006, LogLevel.Debug, "A TLS handshake has failed: {Cause}")]
    public static partial void HandshakeFailed(this ILogger log, string cause);

    [LoggerMessage(4007, LogLevel.Warning,
        "Gateway:Mqtts:EventLoops has no effect, for this system has no OpenSSL 3: Kestrel serves the sockets")]
    public static partial void OpenSslIsMissing(this ILogger log);

    [LoggerMessage(4100, LogLevel.Warning, "{Code}: device {DeviceId} was refused: {Reason}")]
    public static partial void LoginRefused(this ILogger log, string code, string deviceId, string reason);

    [LoggerMessage(4101, LogLevel.Information, "Device {DeviceId} was disconnected: {Reason}")]
    public static partial void Revoked(this ILogger log, string deviceId, string reason);

    [LoggerMessage(4102, LogLevel.Warning,
        "Device notices cannot be read from the control topic; changes take effect at the next re-check only")]
    public static partial void NoticesFail(this ILogger log, Exception failure);

    [LoggerMessage(4103, LogLevel.Warning, "A notice of the control topic cannot be read: offset {Offset}")]
    public static partial void NoticeInvalid(this ILogger log, long offset);

    [LoggerMessage(4104, LogLevel.Warning, "Credentials of connected devices could not be looked up again")]
    public static partial void RecheckFails(this ILogger log, Exception failure);

    [LoggerMessage(4105, LogLevel.Error, "A device could not be let in: its identity cannot be read")]
    public static partial void LoginFailed(this ILogger log, Exception failure);

    [LoggerMessage(4200, LogLevel.Error,
        "{Code}: {Partition} takes no records; {Connections} connections were closed without acknowledgement")]
    public static partial void LogFails(
        this ILogger log, string partition, string code, int connections, Exception failure);

    [LoggerMessage(4201, LogLevel.Information, "{Partition} takes records again")]
    public static partial void LogTakesAgain(this ILogger log, string partition);

    [LoggerMessage(4202, LogLevel.Warning, "Connects and disconnects cannot be appended to the log; they wait")]
    public static partial void LifecycleFails(this ILogger log, Exception failure);

    [LoggerMessage(4203, LogLevel.Error, "{Count} connects and disconnects were lost: the log failed until the end")]
    public static partial void LifecycleLost(this ILogger log, int count);

    [LoggerMessage(4204, LogLevel.Warning, "Expired sessions and wills could not be looked for; it is tried again")]
    public static partial void SweepFails(this ILogger log, Exception failure);

    [LoggerMessage(4205, LogLevel.Error,
        "{Code}: the session of device {DeviceId} under client id {ClientId} cannot be kept; its connection ends")]
    public static partial void SessionFails(
        this ILogger log, string code, string deviceId, string clientId, Exception failure);

    [LoggerMessage(4206, LogLevel.Warning, "Messages to devices of {Partition} cannot be delivered now; they wait")]
    public static partial void DeliveryFails(this ILogger log, string partition, Exception failure);

    [LoggerMessage(4207, LogLevel.Warning, "A message to a device cannot be read: {Partition} offset {Offset}")]
    public static partial void DeviceMessageInvalid(this ILogger log, string partition, long offset);

    [LoggerMessage(4208, LogLevel.Error, "The will of device {DeviceId} could not be brought to its topic space")]
    public static partial void WillFails(this ILogger log, string deviceId, Exception failure);

    [LoggerMessage(4209, LogLevel.Information,
        "{Subscriptions} subscriptions in topic spaces; {Left} sessions were still open and are closed")]
    public static partial void SessionsRecovered(this ILogger log, int subscriptions, int left);

    [LoggerMessage(4210, LogLevel.Warning, "This gateway could not say that it is at work; it is tried again")]
    public static partial void LeaseFails(this ILogger log, Exception failure);

    [LoggerMessage(4211, LogLevel.Error,
        "Nothing was heard of this gateway since {Heard}: others may have closed its sessions; {Count} devices go")]
    public static partial void LeaseLost(this ILogger log, DateTimeOffset heard, int count);

    [LoggerMessage(4212, LogLevel.Warning,
        "{Partition} cannot be followed now: a device that connects elsewhere may keep its connection here")]
    public static partial void PeersUnknown(this ILogger log, string partition, Exception failure);

    [LoggerMessage(4213, LogLevel.Warning,
        "{Count} devices were connected to the gateway run {Run}, which ended without a word: they are disconnected")]
    public static partial void ConnectionsLost(this ILogger log, int count, string run);

    [LoggerMessage(4300, LogLevel.Debug, "{Code}: device {DeviceId} sent a packet that breaks the protocol: {Defect}")]
    public static partial void Malformed(this ILogger log, string code, string? deviceId, string defect);

    [LoggerMessage(4301, LogLevel.Debug, "{Code}: a publish of device {DeviceId} was refused: {Reason}")]
    public static partial void PublishRefused(this ILogger log, string code, string deviceId, string reason);

    [LoggerMessage(4320, LogLevel.Warning,
        "{Code}: device {DeviceId} was over its rate for more than {SlowedMax} and is disconnected")]
    public static partial void RateExceeded(this ILogger log, string code, string deviceId, TimeSpan slowedMax);

    [LoggerMessage(4302, LogLevel.Error, "A connection failed in a way that was not foreseen")]
    public static partial void ConnectionFailed(this ILogger log, Exception failure);
}
