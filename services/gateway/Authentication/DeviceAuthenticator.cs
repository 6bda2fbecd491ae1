using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;
using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Gateway.Authentication;

/// <summary>
/// Decides who is let in. Every path does the same work: a name that nobody has is tried against a decoy, whose keys
/// nobody knows.
/// </summary>
internal sealed class DeviceAuthenticator(
    IdentityCache identities, IOptions<GatewayOptions> options, IOptions<TopicSpacesOptions> spaces, TimeProvider time)
{
    private static readonly string[] DefaultHubNames = ["localhost", "127.0.0.1", "millrace"];

    private readonly DeviceIdentity _decoy = new()
    {
        DeviceId = "decoy",
        GenerationId = "",
        PrimaryKey = NewKey(),
        SecondaryKey = NewKey(),
        CreatedAt = default,
        UpdatedAt = default,
    };

    private IReadOnlyList<string> HubNames => options.Value.HubNames is { Count: > 0 } names ? names : DefaultHubNames;

    /// <param name="isLocal">The client is on this machine.</param>
    public async ValueTask<LoginResult> LoginAsync(
        ConnectRequest request, X509Certificate2? certificate, bool isLocal, CancellationToken ct)
    {
        var epoch = identities.Epoch;
        var isAnonymous = string.IsNullOrEmpty(request.UserName) && request.Password is null && certificate is null;
        if (isAnonymous && isLocal && spaces.Value.AllowAnonymous)
            return await LoginAnonymousAsync(request.ClientId, epoch, ct).ConfigureAwait(false);
        var name = DeviceName.Of(request);
        var valid = DeviceId.IsValid(name);
        var identity = await identities.FindAsync(valid ? name : _decoy.DeviceId, ct).ConfigureAwait(false);
        if (!valid) identity = null;
        var credentials = new Credentials(request.Password, certificate, HubNames, time.GetUtcNow());
        var (proof, method, hash, expiresAt) = credentials.Prove(identity ?? _decoy);
        var reason = (valid, identity) switch
        {
            (false, _) => RefusalReason.NameInvalid,
            (_, null) => RefusalReason.UnknownDevice,
            _ when proof != RefusalReason.None => proof,
            (_, { Status: DeviceStatus.Disabled }) => RefusalReason.Disabled,
            _ => RefusalReason.None,
        };
        var login = reason == RefusalReason.None
            ? new DeviceLogin(identity!.DeviceId, identity.GenerationId, method, hash, expiresAt)
            : null;
        return new LoginResult(login, name, reason, identity?.TagsJson ?? "{}", epoch);
    }

    /// <summary>Why the login is not good any more; null when it still is.</summary>
    public async ValueTask<string?> RevokedAsync(DeviceLogin login, CancellationToken ct) =>
        login.RevokedBy(await identities.FindAsync(login.DeviceId, ct).ConfigureAwait(false));

    /// <summary>Under its client id, unless a device is registered by that name.</summary>
    private async ValueTask<LoginResult> LoginAnonymousAsync(string clientId, long epoch, CancellationToken ct)
    {
        var name = AnonymousName.Of(clientId);
        var isTaken = await identities.FindAsync(name, ct).ConfigureAwait(false) is not null;
        var login = new DeviceLogin(name, GenerationId: "", AuthMethod.Anonymous, CredentialHash: 0, ExpiresAt: null);
        return isTaken
            ? new LoginResult(null, name, RefusalReason.NoCredential, "{}", epoch)
            : new LoginResult(login, name, RefusalReason.None, "{}", epoch);
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));
}
