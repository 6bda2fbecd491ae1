using Microsoft.Extensions.Options;

namespace Millrace.ObjectStore.S3;

/// <summary>Checks what attributes cannot say, when objects are on S3.</summary>
internal sealed class S3ObjectStoreOptionsValidator(IOptions<ObjectStoreOptions> store)
    : IValidateOptions<S3ObjectStoreOptions>
{
    private const string Section = "ObjectStore:S3";
    private const long PartBytesMin = 5L << 20;
    private const long PartBytesMax = 1L << 30;

    public ValidateOptionsResult Validate(string? name, S3ObjectStoreOptions options)
    {
        if (store.Value.Kind != ObjectStoreKind.S3) return ValidateOptionsResult.Success;
        List<string> failures = [.. General(options), .. Credentials(options.Credentials)];
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> General(S3ObjectStoreOptions options)
    {
        if (options.Bucket.Length == 0) yield return $"{Section}:{nameof(options.Bucket)} is missing; name the bucket.";
        else if (options.Bucket.Contains('/'))
            yield return $"{Section}:Bucket is '{options.Bucket}'; what follows a slash goes into Prefix.";
        if (options.Prefix.Length > 0 && !ObjectKey.IsValid(options.Prefix))
        {
            yield return $"{Section}:{nameof(options.Prefix)} is '{options.Prefix}'; use letters, digits and - _ . = "
                + "with slashes between, none at the ends.";
        }

        if (options.Region.Length == 0)
            yield return $"{Section}:{nameof(options.Region)} is empty; a store without regions takes us-east-1.";
        if (options.Endpoint is { } endpoint && !IsAddress(endpoint))
        {
            yield return $"{Section}:{nameof(options.Endpoint)} is '{endpoint}'; write an address such as "
                + "https://minio:9000.";
        }

        if (options.CaFile is { } ca && !File.Exists(ca)) yield return $"{Section}:CaFile is '{ca}', which is no file.";
        if (options.PartSize.Bytes is < PartBytesMin or > PartBytesMax)
            yield return $"{Section}:{nameof(options.PartSize)} is {options.PartSize}; choose from 5MiB to 1GiB.";
    }

    private static IEnumerable<string> Credentials(S3CredentialOptions options)
    {
        const string Key = Section + ":Credentials";
        var source = options.Source;
        var configured = options.AccessKey is not null || source == S3CredentialSource.Configuration;
        if (configured && string.IsNullOrEmpty(options.AccessKey))
            yield return $"{Key}:{nameof(options.AccessKey)} is missing.";
        if (configured && options.SecretKey is null == options.SecretKeyFile is null)
        {
            yield return $"{Key}: {nameof(options.AccessKey)} goes with one of {nameof(options.SecretKey)} and "
                + $"{nameof(options.SecretKeyFile)}.";
        }

        if (options.AccessKey is not null && source is not (S3CredentialSource.Auto or S3CredentialSource.Configuration))
            yield return $"{Key}:{nameof(options.AccessKey)} means nothing when Source is {source}.";
        if (options.SecretKeyFile is { } file && !File.Exists(file))
            yield return $"{Key}:{nameof(options.SecretKeyFile)} is '{file}', which is no file.";
        if (options.StsEndpoint is { } sts && !IsAddress(sts))
            yield return $"{Key}:{nameof(options.StsEndpoint)} is '{sts}'; write an address such as https://minio:9000.";
    }

    private static bool IsAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https");
}
