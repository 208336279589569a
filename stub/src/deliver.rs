//! Sending a reply part by part, each at its time, with the acts of the mode.

use std::time::Instant;

use crate::alarm::Alarm;
use crate::behaviour::{Act, Behaviour, Head, Place, World};
use crate::connection::Connection;
use crate::http::{chunk_bytes, head_bytes};
use crate::send_log::{Event, Row, SendLog};

/// Size of the blocks in which giant replies are sent.
const GIANT_BLOCK_BYTES: u64 = 64 * 1024;

/// Why a connection cannot be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// One side closed it.
    Closed,
    /// The whole server is to end.
    Die,
}

impl From<std::io::Error> for Cut {
    fn from(_: std::io::Error) -> Self {
        Self::Closed
    }
}

/// Sends the parts of one reply.
pub(crate) struct Delivery<'a> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) alarm: &'a Alarm,
    pub(crate) behaviour: &'a dyn Behaviour,
    pub(crate) world: &'a World,
    pub(crate) log: &'a SendLog,
    pub(crate) request: u64,
    pub(crate) request_id: &'a str,
    pub(crate) keep_alive: bool,
    pub(crate) chunked: bool,
    /// Parts with a body sent so far.
    pub(crate) parts: usize,
}

impl Delivery<'_> {
    /// Waits until an instant.
    pub(crate) async fn until(&mut self, when: Instant) -> Result<(), Cut> {
        Ok(self.connection.wait(self.alarm, when).await?)
    }

    /// Sends status and headers.
    pub(crate) async fn head(&mut self, mut head: Head) -> Result<(), Cut> {
        self.behaviour.head(&mut head);
        self.chunked = head.length.is_none();
        let bytes = head_bytes(&head, self.keep_alive);
        let acts = self.behaviour.acts(self.world, Place::Head, bytes);
        self.perform(acts, Event::Headers, 0).await
    }

    /// Sends one part of the body.
    pub(crate) async fn part(&mut self, place: Place, tokens: usize, bytes: Vec<u8>) -> Result<(), Cut> {
        let acts = self.behaviour.acts(self.world, place, bytes);
        self.perform(acts, Event::Chunk, tokens).await?;
        self.parts += 1;
        Ok(())
    }

    /// Ends the body.
    pub(crate) async fn end(&mut self) -> Result<(), Cut> {
        self.note(Event::Done, 0, Instant::now());
        if self.chunked {
            self.connection.write(b"0\r\n\r\n").await?;
        }
        Ok(())
    }

    /// Writes a row about this request.
    pub(crate) fn note(&self, event: Event, tokens: usize, at: Instant) {
        self.log.row(Row { request: self.request, request_id: self.request_id, event, chunk: self.parts, tokens, at });
    }

    /// Does what the mode wants with one part; its first bytes are what the log notes.
    async fn perform(&mut self, acts: Vec<Act>, event: Event, tokens: usize) -> Result<(), Cut> {
        let chunked = self.chunked && event == Event::Chunk;
        let mut noted = false;
        for act in acts {
            match act {
                Act::Send(bytes) if bytes.is_empty() => {}
                Act::Send(bytes) => {
                    let bytes = if chunked { chunk_bytes(&bytes) } else { bytes };
                    if !noted {
                        self.note(event, tokens, Instant::now());
                        noted = true;
                    }
                    self.connection.write(&bytes).await?;
                }
                Act::Wait(time) => self.until(Instant::now() + time).await?,
                Act::Giant(bytes) => self.giant(bytes, chunked).await?,
                Act::End => {
                    self.end().await?;
                    return Err(Cut::Closed);
                }
                Act::Close => return Err(Cut::Closed),
                Act::Die => return Err(Cut::Die),
                Act::Reset => {
                    self.connection.reset()?;
                    return Err(Cut::Closed);
                }
                Act::HalfClose => {
                    self.connection.half_close().await?;
                    return Err(self.connection.gone().await.into());
                }
                Act::Hang => return Err(self.connection.gone().await.into()),
            }
        }
        Ok(())
    }

    async fn giant(&mut self, mut left: u64, chunked: bool) -> Result<(), Cut> {
        let letters = vec![b'a'; GIANT_BLOCK_BYTES as usize];
        while left > 0 {
            let block = &letters[..left.min(GIANT_BLOCK_BYTES) as usize];
            left -= block.len() as u64;
            if chunked {
                self.connection.write(&chunk_bytes(block)).await?;
            } else {
                self.connection.write(block).await?;
            }
        }
        Ok(())
    }
}
