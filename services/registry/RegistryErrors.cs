using Millrace.Primitives;

namespace Millrace.Registry;

/// <summary>Errors of the registry.</summary>
public static class RegistryErrors
{
    public static readonly ErrorDefinition DeviceExists = new("RG-0001",
        "A device of that id exists already.",
        "Device ids are unique within the hub.",
        "Choose another id, or change the device that is there.");

    public static readonly ErrorDefinition DeviceNotFound = new("RG-0002",
        "There is no device of that id.",
        "It was never made, or was deleted.",
        "List the devices and check the spelling; case matters.");

    public static readonly ErrorDefinition VersionConflict = new("RG-0003",
        "The device was changed by somebody else meanwhile.",
        "The If-Match header names another state than the stored one.",
        "Read the device again and repeat the change with its ETag.");

    public static readonly ErrorDefinition KeyInvalid = new("RG-0004",
        "The device key is not valid.",
        "A key is 16 to 64 bytes in base64.",
        "Leave the key out to have one made, or give one of that form.");

    public static readonly ErrorDefinition ThumbprintInvalid = new("RG-0005",
        "The certificate thumbprint is not valid.",
        "A thumbprint is the SHA-256 of the certificate's DER form: 64 hexadecimal digits.",
        "Take it with: openssl x509 -in cert.pem -noout -fingerprint -sha256.");

    public static readonly ErrorDefinition TagsInvalid = new("RG-0006",
        "The tags are not valid.",
        "Tags are one JSON object, within the registry's limits of size and depth.",
        "Send an object such as {\"site\": \"north\"}, and keep large data elsewhere.");

    public static readonly ErrorDefinition RequestInvalid = new("RG-0007",
        "The request cannot be carried out.",
        "A field has a value that is not allowed.",
        "Look at the detail and at the OpenAPI document.");
}
