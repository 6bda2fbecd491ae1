namespace Millrace.Stores.Users;

/// <summary>A bearer token for the API. Only its SHA-256 is kept.</summary>
/// <param name="Scopes">Any of read, operate, administer.</param>
public sealed record ApiToken(
    string Id, string Name, string Sha256, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt);

public interface ITokenStore
{
    ValueTask SaveAsync(ApiToken token, CancellationToken ct = default);

    ValueTask<ApiToken?> FindBySha256Async(string sha256, CancellationToken ct = default);

    ValueTask<IReadOnlyList<ApiToken>> ListAsync(CancellationToken ct = default);

    ValueTask<bool> DeleteAsync(string id, CancellationToken ct = default);
}
