using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Millrace.Extensions.Protobuf;

/// <summary>The messages of a file that protoc wrote.</summary>
internal static class DescriptorFile
{
    public static IEnumerable<MessageDescriptor> Read(string path)
    {
        try
        {
            var set = FileDescriptorSet.Parser.ParseFrom(File.ReadAllBytes(path));
            if (set.File.Count == 0) throw new InvalidDataException("It holds no file.");
            var files = FileDescriptor.BuildFromByteStrings(set.File.Select(file => file.ToByteString()));
            return files.SelectMany(file => file.MessageTypes).SelectMany(WithNested).ToList();
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or InvalidDataException
            or InvalidProtocolBufferException or DescriptorValidationException or ArgumentException)
        {
            throw ExtensionErrors.DescriptorInvalid.With(path, wrong.Message).AsException(wrong);
        }
    }

    private static IEnumerable<MessageDescriptor> WithNested(MessageDescriptor message) =>
        message.NestedTypes.SelectMany(WithNested).Prepend(message);
}
