using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.ObjectStore.S3;

/// <summary>A bucket of an S3 store, for ObjectStore:Kind = S3. Section ObjectStore:S3.</summary>
public sealed class S3ObjectStoreOptions
{
    /// <summary>The bucket. It must be there, unless <see cref="CreateBucket"/> says otherwise.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>
    /// Stands before every key with a slash behind it, so that hubs can share a bucket. Empty: none.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>The region that the bucket is in, and that requests are signed for.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>The address of a store that is not Amazon's, such as http://minio:9000. Null: Amazon's.</summary>
    public string? Endpoint { get; set; }

    /// <summary>
    /// Whether the bucket stands in the path of addresses and not in the host name. Null: with an endpoint it does.
    /// </summary>
    public bool? PathStyle { get; set; }

    /// <summary>Whether a missing bucket is made.</summary>
    public bool CreateBucket { get; set; }

    /// <summary>
    /// The certificates of the authorities that may have signed the store's, and StsEndpoint's, in PEM. Null: the
    /// system's.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>
    /// Larger objects are sent in parts of this size. An object has at most 10,000 parts; parts wait in memory.
    /// </summary>
    public ByteSize PartSize { get; set; } = ByteSize.FromMiB(16);

    /// <summary>Parts of one object that are on their way at a time.</summary>
    [Range(1, 64)]
    public int PartsInFlightMax { get; set; } = 4;

    /// <summary>
    /// How long a request may take until its answer begins, and how long the answer may pause then. A part or a range
    /// is one.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a request that failed on the way, or was put off by the store, is sent again.</summary>
    [Range(0, 20)]
    public int RetriesMax { get; set; } = 4;

    /// <summary>
    /// How old the parts of an unfinished upload must be before they are taken for left over by a crash and removed at
    /// start. Longer than any write takes, because another process may be writing.
    /// </summary>
    public TimeSpan UnfinishedUploadAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How this process shows who it is.</summary>
    public S3CredentialOptions Credentials { get; set; } = new();
}

/// <summary>Where credentials come from.</summary>
public enum S3CredentialSource
{
    /// <summary>The first of these that there is: AccessKey, web identity, environment, file.</summary>
    Auto,

    /// <summary>AccessKey with SecretKey or SecretKeyFile.</summary>
    Configuration,

    /// <summary>AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN.</summary>
    Environment,

    /// <summary>A profile of a shared credentials file.</summary>
    File,

    /// <summary>A token, such as a Kubernetes service account's, is exchanged for temporary keys of a role.</summary>
    WebIdentity,
}

/// <summary>Who this process is to the store. Section ObjectStore:S3:Credentials.</summary>
public sealed class S3CredentialOptions
{
    /// <summary>Where credentials come from: Auto, Configuration, Environment, File or WebIdentity.</summary>
    public S3CredentialSource Source { get; set; }

    /// <summary>The access key.</summary>
    public string? AccessKey { get; set; }

    /// <summary>The secret key; better in a file.</summary>
    public string? SecretKey { get; set; }

    /// <summary>A file that holds the secret key; a line end at its end does not count.</summary>
    public string? SecretKeyFile { get; set; }

    /// <summary>A shared credentials file. Null: AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials.</summary>
    public string? File { get; set; }

    /// <summary>The profile of the file.</summary>
    public string Profile { get; set; } = "default";

    /// <summary>The role to take by web identity. Null: AWS_ROLE_ARN.</summary>
    public string? RoleArn { get; set; }

    /// <summary>The file that holds the token; read anew each time. Null: AWS_WEB_IDENTITY_TOKEN_FILE.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Where tokens are exchanged. Null: Amazon's, of the region.</summary>
    public string? StsEndpoint { get; set; }
}
