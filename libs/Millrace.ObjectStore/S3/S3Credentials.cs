using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;

namespace Millrace.ObjectStore.S3;

/// <summary>Makes of the options, and of what the environment has, what requests are signed with.</summary>
internal static class S3Credentials
{
    private const string AccessKeyVariable = "AWS_ACCESS_KEY_ID";
    private const string FileVariable = "AWS_SHARED_CREDENTIALS_FILE";
    private const string RoleVariable = "AWS_ROLE_ARN";
    private const string TokenFileVariable = "AWS_WEB_IDENTITY_TOKEN_FILE";

    /// <summary>OB-0007 when there are none where the options say.</summary>
    public static AWSCredentials Of(S3ObjectStoreOptions store, S3Clients clients) =>
        Of(store.Credentials, store, clients);

    private static AWSCredentials Of(S3CredentialOptions options, S3ObjectStoreOptions store, S3Clients clients) =>
        (options.Source == S3CredentialSource.Auto ? Found(options) : options.Source) switch
        {
            S3CredentialSource.Configuration => new BasicAWSCredentials(options.AccessKey, SecretOf(options)),
            S3CredentialSource.Environment => FromEnvironment(),
            S3CredentialSource.File => FromFile(options),
            S3CredentialSource.WebIdentity => new WebIdentityCredentials(
                options.RoleArn ?? Variable(RoleVariable)
                    ?? throw Missing($"Neither RoleArn nor {RoleVariable} is set."),
                options.TokenFile ?? Variable(TokenFileVariable)
                    ?? throw Missing($"Neither TokenFile nor {TokenFileVariable} is set."),
                store, clients),
            var other => throw new ArgumentOutOfRangeException(nameof(options), other, null),
        };

    private static S3CredentialSource Found(S3CredentialOptions options)
    {
        if (options.AccessKey is not null) return S3CredentialSource.Configuration;
        if ((options.TokenFile ?? Variable(TokenFileVariable)) is not null) return S3CredentialSource.WebIdentity;
        return Variable(AccessKeyVariable) is not null ? S3CredentialSource.Environment : S3CredentialSource.File;
    }

    private static string SecretOf(S3CredentialOptions options) => options.SecretKeyFile is null
        ? options.SecretKey!
        : File.ReadAllText(options.SecretKeyFile).TrimEnd('\r', '\n');

    private static EnvironmentVariablesAWSCredentials FromEnvironment()
    {
        try
        {
            return new EnvironmentVariablesAWSCredentials();
        }
        catch (InvalidOperationException e)
        {
            throw ObjectStoreErrors.CredentialsMissing.With("Environment", e.Message).AsException(e);
        }
    }

    private static AWSCredentials FromFile(S3CredentialOptions options)
    {
        var path = options.File ?? Variable(FileVariable) ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws", "credentials");
        if (!File.Exists(path)) throw Missing($"There is no file {path}.");
        var file = new SharedCredentialsFile(path);
        return file.TryGetProfile(options.Profile, out var profile)
            && AWSCredentialsFactory.TryGetAWSCredentials(profile, file, out var credentials)
                ? credentials
                : throw Missing($"{path} has no credentials under [{options.Profile}].");
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static Exception Missing(string detail) =>
        ObjectStoreErrors.CredentialsMissing.With(null, detail).AsException();
}
