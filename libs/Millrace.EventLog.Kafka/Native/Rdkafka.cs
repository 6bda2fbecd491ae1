using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>
/// The calls into librdkafka, which comes with Confluent.Kafka, for what is done once a record: they cost no object a
/// record, and readers have queues of their own. What is called rarely goes through the package itself. Names and
/// meaning are those of rdkafka.h.
/// </summary>
internal static unsafe partial class Rdkafka
{
    internal const string Library = "millrace-librdkafka";
    private const int TextBytes = 512;

    static Rdkafka() => RdkafkaLibrary.Register();

    /// <summary>Fails when an option is refused: its name and value are ours, so that the text says why.</summary>
    public static void Set(nint conf, string name, string value)
    {
        var text = stackalloc byte[TextBytes];
        if (ConfSet(conf, name, value, text, TextBytes) != 0)
            throw KafkaLogErrors.SettingsRefused.With(name, Text(text)).AsException();
    }

    /// <summary>A client of these settings, which it takes over.</summary>
    public static nint New(ClientKind kind, nint conf)
    {
        var text = stackalloc byte[TextBytes];
        var client = New(kind, conf, text, TextBytes);
        if (client != 0) return client;
        ConfDestroy(conf);
        throw KafkaLogErrors.SettingsRefused.With(kind, Text(text)).AsException();
    }

    public static string Text(byte* text) => text is null ? "" : Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>What the error is called, and what it means.</summary>
    public static string Describe(int code) => $"{Text(ErrName(code))}: {Text(ErrText(code))}.";

    /// <summary>UTF-8 with a zero at its end.</summary>
    public static byte[] ZeroEnded(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    public static partial nint ConfNew();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_destroy")]
    private static partial void ConfDestroy(nint conf);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ConfSet(nint conf, string name, string value, byte* text, nuint textBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set_opaque")]
    public static partial void ConfSetOpaque(nint conf, nint opaque);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set_log_cb")]
    public static partial void ConfSetLog(nint conf, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, void> log);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set_error_cb")]
    public static partial void ConfSetError(
        nint conf, delegate* unmanaged[Cdecl]<nint, int, byte*, nint, void> error);

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set_dr_msg_cb")]
    public static partial void ConfSetDelivery(
        nint conf, delegate* unmanaged[Cdecl]<nint, NativeMessage*, nint, void> delivery);

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    private static partial nint New(ClientKind kind, nint conf, byte* text, nuint textBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    public static partial void Destroy(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_opaque")]
    public static partial nint Opaque(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_poll")]
    public static partial int Poll(nint client, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "rd_kafka_err2name")]
    private static partial byte* ErrName(int code);

    [LibraryImport(Library, EntryPoint = "rd_kafka_err2str")]
    private static partial byte* ErrText(int code);

    [LibraryImport(Library, EntryPoint = "rd_kafka_last_error")]
    public static partial int LastError();

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_new")]
    public static partial nint TopicNew(nint client, byte* name, nint conf);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_destroy")]
    public static partial void TopicDestroy(nint topic);

    [LibraryImport(Library, EntryPoint = "rd_kafka_queue_new")]
    public static partial nint QueueNew(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_queue_destroy")]
    public static partial void QueueDestroy(nint queue);

    /// <summary>The callback comes on a thread of the library when the empty queue gets something.</summary>
    [LibraryImport(Library, EntryPoint = "rd_kafka_queue_cb_event_enable")]
    public static partial void QueueOnEvent(
        nint queue, delegate* unmanaged[Cdecl]<nint, nint, void> called, nint opaque);

    [LibraryImport(Library, EntryPoint = "rd_kafka_error_code")]
    public static partial int ErrorCode(nint error);

    [LibraryImport(Library, EntryPoint = "rd_kafka_error_destroy")]
    public static partial void ErrorDestroy(nint error);
}
