using Amazon;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Millrace.ObjectStore.S3;

/// <summary>
/// Temporary keys of a role, for a token that a file holds (AssumeRoleWithWebIdentity). The file is read each time,
/// because whoever issues the token renews it.
/// </summary>
internal sealed class WebIdentityCredentials : RefreshingAWSCredentials
{
    private const string SessionName = "millrace";

    /// <summary>So long before their end keys are replaced.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);

    private readonly string _roleArn;
    private readonly string _tokenFile;
    private readonly AmazonSecurityTokenServiceConfig _config;

    public WebIdentityCredentials(string roleArn, string tokenFile, S3ObjectStoreOptions store, S3Clients clients)
    {
        (_roleArn, _tokenFile) = (roleArn, tokenFile);
        _config = new AmazonSecurityTokenServiceConfig
        {
            Timeout = store.RequestTimeout,
            MaxErrorRetry = store.RetriesMax,
        };
        if (store.Credentials.StsEndpoint is { } endpoint)
        {
            _config.ServiceURL = endpoint;
            _config.AuthenticationRegion = store.Region;

            // Amazon's own is not signed by the authorities of somebody's store.
            _config.HttpClientFactory = clients;
        }
        else
        {
            _config.RegionEndpoint = RegionEndpoint.GetBySystemName(store.Region);
        }

        PreemptExpiryTime = RenewBefore;
    }

    protected override CredentialsRefreshState GenerateNewCredentials() =>
        GenerateNewCredentialsAsync().GetAwaiter().GetResult();

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        using var client = new AmazonSecurityTokenServiceClient(new AnonymousAWSCredentials(), _config);
        var answer = await client.AssumeRoleWithWebIdentityAsync(new AssumeRoleWithWebIdentityRequest
        {
            RoleArn = _roleArn,
            RoleSessionName = SessionName,
            WebIdentityToken = (await File.ReadAllTextAsync(_tokenFile).ConfigureAwait(false)).Trim(),
        }).ConfigureAwait(false);
        var keys = answer.Credentials;
        return new CredentialsRefreshState(
            new ImmutableCredentials(keys.AccessKeyId, keys.SecretAccessKey, keys.SessionToken),
            keys.Expiration!.Value.ToUniversalTime());
    }
}
