using Millrace.Gateway.Authentication;
using Millrace.Mqtt;

namespace Millrace.Gateway.Mqtt;

/// <summary>Why a connection ended.</summary>
/// <param name="Reason">A stable word, for lifecycle records and metrics.</param>
/// <param name="Code">What the client is told, where its version has a way to.</param>
/// <param name="IsQuiet">Nothing is written: the client said good-bye, or is gone.</param>
internal sealed record ConnectionEnd(string Reason, ReasonCode Code, bool IsQuiet = false)
{
    public static readonly ConnectionEnd Goodbye = new("client-disconnect", ReasonCode.Success, IsQuiet: true);
    public static readonly ConnectionEnd Lost = new("connection-lost", ReasonCode.UnspecifiedError, IsQuiet: true);
    public static readonly ConnectionEnd Failed = new("server-error", ReasonCode.UnspecifiedError);
    public static readonly ConnectionEnd StoreFailed = new("store-failed", ReasonCode.ServerUnavailable);
    public static readonly ConnectionEnd ConnectTimeout = new("connect-timeout", ReasonCode.NotAuthorized);
    public static readonly ConnectionEnd LoginTimeout = new("login-timeout", ReasonCode.ServerUnavailable);
    public static readonly ConnectionEnd SessionFailed = new("session-failed", ReasonCode.ServerUnavailable);
    public static readonly ConnectionEnd KeepAlive = new("keep-alive", ReasonCode.KeepAliveTimeout);
    public static readonly ConnectionEnd TakenOver = new("taken-over", ReasonCode.SessionTakenOver);
    public static readonly ConnectionEnd TokenExpired = new("credential-expired", ReasonCode.MaximumConnectTime);
    public static readonly ConnectionEnd Shutdown = new("shutdown", ReasonCode.ServerShuttingDown);
    public static readonly ConnectionEnd LogFull = new("log-unavailable", ReasonCode.QuotaExceeded);
    public static readonly ConnectionEnd LogFailed = new("log-unavailable", ReasonCode.ImplementationSpecificError);
    public static readonly ConnectionEnd TopicRefused = new("topic-refused", ReasonCode.NotAuthorized);
    public static readonly ConnectionEnd RateExceeded = new("rate-exceeded", ReasonCode.QuotaExceeded);
    public static readonly ConnectionEnd QuotaReached = new("day-quota-reached", ReasonCode.QuotaExceeded);
    public static readonly ConnectionEnd ConnectRate = new("connect-rate", ReasonCode.ConnectionRateExceeded);
    public static readonly ConnectionEnd TooMany = new("connections-max", ReasonCode.QuotaExceeded);
    public static readonly ConnectionEnd TooManySessions = new("sessions-max", ReasonCode.QuotaExceeded);
    public static readonly ConnectionEnd ClientIdTooLong =
        new("client-id-too-long", ReasonCode.ClientIdentifierNotValid);
    public static readonly ConnectionEnd Unread = new("unread", ReasonCode.QuotaExceeded, IsQuiet: true);
    public static readonly ConnectionEnd AnswerTooLarge = new("answer-too-large", ReasonCode.PacketTooLarge, true);

    /// <summary>One and the same for every cause.</summary>
    public static readonly ConnectionEnd LoginRefused = new("refused", ReasonCode.BadUserNameOrPassword);

    /// <param name="reason">device-deleted, device-disabled or credential-changed.</param>
    public static ConnectionEnd Revoked(string reason) => new(reason, ReasonCode.AdministrativeAction);

    public static ConnectionEnd Malformed(PacketDefect defect) =>
        new(RefusalReasons.Kebab(defect.ToString()), defect.Reason());

    public static ConnectionEnd WillRefused(ReasonCode code) => new("will-refused", code);
}
