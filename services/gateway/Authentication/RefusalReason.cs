namespace Millrace.Gateway.Authentication;

/// <summary>Why a device was not let in. It is counted and logged, and never said to the device.</summary>
internal enum RefusalReason : byte
{
    None = 0,

    /// <summary>Neither the user name nor the client id names a device.</summary>
    NameInvalid,
    UnknownDevice,
    Disabled,

    /// <summary>No password, and no certificate that is of use.</summary>
    NoCredential,

    /// <summary>The password is neither of the device's keys.</summary>
    WrongKey,

    /// <summary>Not a token, or signed with neither of the device's keys.</summary>
    TokenInvalid,
    TokenExpired,

    /// <summary>A good token, but for another hub or device.</summary>
    TokenForAnother,

    /// <summary>The certificate has neither of the device's thumbprints.</summary>
    WrongCertificate,

    /// <summary>The right certificate, before or after its time.</summary>
    CertificateExpired,
}

internal static class RefusalReasons
{
    private static readonly string[] Words = [.. Enum.GetNames<RefusalReason>().Select(Kebab)];

    /// <summary>The reason as metrics and logs name it, such as token-expired.</summary>
    public static string Word(this RefusalReason reason) => Words[(int)reason];

    /// <summary>TokenExpired as token-expired.</summary>
    public static string Kebab(string name) => string.Concat(
        name.Select((letter, i) => (i > 0 && char.IsUpper(letter) ? "-" : "") + char.ToLowerInvariant(letter)));
}
